"""How is the API served? By uvicorn, on an address or on the socket that the supervisor holds open for it."""

import socket
import sys

GRACE = 20


def serve(host: str, port: int, inherited: int | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish what is under way, for at most 20 seconds.

    `inherited` is the descriptor of the supervisor's listening socket. While one API ends and the next one starts,
    callers of it wait instead of being refused. It is served when the standard input has ended: importing the
    application takes longest, and goes on beside the migration.
    """
    import uvicorn

    config = uvicorn.Config(
        "app.main:app",
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    if inherited is None:
        uvicorn.Server(config).run()
    else:
        config.load()
        sys.stdin.read()
        # Not uvicorn's own `fd`: it takes the socket for a Unix one, and the caller's address is lost.
        uvicorn.Server(config).run([socket.socket(fileno=inherited)])


if __name__ == "__main__":
    serve("", 0, int(sys.argv[1]))
