"""Which passwords are good enough, and how are they kept and compared? argon2id, in threads of its own, few at once."""

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.domain.entities.values import fold
from app.errors import FieldError, Invalid, Unavailable

SHORTEST = 12
LONGEST = 1024
# The cheapest that OWASP advises: 46 MiB and about 80 ms of one core.
HASHER = PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1)
# What many sign-ins at once may take of memory and cores; the others wait, and not for ever.
AT_ONCE = 2
PATIENCE = 5.0

T = TypeVar("T")

# What people choose where length is asked for, and pad with digits and signs; folded, without them.
WORDS = """
access acceso accesso admin administrador administrator amministratore amigo amore azerty azertyuiop babygirl
barcelona baseball basketball batman benvenuta benvenuto bienvenida bienvenido buenosdias buongiorno changeit changeme
chelsea ciao clave clientela company computer contrasena contrasenya customer default dragon empresa entrar estrella
familia flower football forever freedom futbol guest hello hola hunter iloveyou internet inter italia jesus juventus
killer letmein letmeinnow login lovely madrid manager master mexico michael milano mipassword monkey mustang mypassword
napoli newpassword nopassword pass passphrase password passwort parola princesa princess princessa prueba qazwsx
qazwsxedc qazwsxedcrfv qwaszx qwerty qwertyuiop realmadrid root sales samsung secret secreto secretpassword segreto
security seguridad seguro server shadow soccer starwars sunshine superman supersecret support swordfish system teamo
temp temporal temporary test testing testpassword trustnoone user username usuario utente ventas vendite welcome
welcomehome whatever yomismo yourpassword
spring summer autumn fall winter primavera verano otono invierno estate autunno inverno
january february march april may june july august september october november december
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio aprile maggio giugno luglio settembre ottobre novembre dicembre
monday tuesday wednesday thursday friday saturday sunday lunes martes miercoles jueves viernes sabado domingo
lunedi martedi mercoledi giovedi venerdi sabato domenica
"""
LISTED = Path(__file__).with_name("common_passwords.txt")
# As people write letters to satisfy a rule about digits.
LETTERS = str.maketrans("0134578@$!", "oieastbasi")
ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
RUNS = [run for row in ROWS for run in (row + row[:2], (row + row[:2])[::-1])]
LONGEST_RUN = max(map(len, RUNS))
FEWEST_DIFFERENT = 5
SHORTEST_NAME = 4


def check_password(password: str, username: str, pointer: str = "/password") -> None:
    """Raises `Invalid` with code `weak_password` for one that is too short, too long, common, or like the username."""
    # Not normalised before it is measured: that takes the square of the number of marks on one letter.
    problem = _weakness(_normal(password) if len(password) <= LONGEST else password, username)
    if problem:
        raise Invalid(problem, code="weak_password", errors=[FieldError(pointer, "weak_password", problem)])


async def hash_password(password: str) -> str:
    """What is kept of a password that `check_password` let through. Raises `Unavailable` when too many are waiting."""
    return await _aside(lambda: HASHER.hash(_normal(password)))


async def password_matches(password: str, kept: str | None) -> bool:
    """Whether it is the password kept so; without one, as long as if there were. May raise `Unavailable`."""
    return await _aside(lambda: _matches(password, kept or _nobodys()) and kept is not None)


def is_outdated(kept: str) -> bool:
    """Whether it was hashed at another price than today's, so that the next sign-in should hash it anew."""
    return HASHER.check_needs_rehash(kept)


def _matches(password: str, kept: str) -> bool:
    try:
        return len(password) <= LONGEST and HASHER.verify(kept, _normal(password))
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def _nobodys() -> str:
    return HASHER.hash("nobody has this password")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, "password")


async def _aside(work: Callable[[], T]) -> T:
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(_threads(), work), PATIENCE)
    except TimeoutError:
        raise Unavailable("Too many are signing in at this moment", headers={"Retry-After": "5"}) from None


def _normal(password: str) -> str:
    """One spelling of it whatever keyboard it was typed on. NFC, since NFKC would make different ones equal."""
    return unicodedata.normalize("NFC", password)


def _weakness(password: str, username: str) -> str | None:
    if len(password) < SHORTEST:
        return f"A password has {SHORTEST} characters or more"
    if len(password) > LONGEST:
        return f"A password has {LONGEST} characters or fewer"
    if any("\ud800" <= char <= "\udfff" for char in password):
        return "The password has characters that cannot be kept"
    if _is_common(password):
        return "The password is one of those that are tried first"
    if _is_like(password, username):
        return "The password is too much like the username"
    return None


@cache
def _common() -> frozenset[str]:
    """Ours, and ten thousand that people were seen to choose."""
    listed = (line for line in LISTED.read_text().splitlines() if not line.startswith("#"))
    return frozenset((*WORDS.split(), *listed))


def _is_common(password: str) -> bool:
    plain = fold(password)
    core = plain.strip("".join(char for char in plain if not char.isalpha()))
    return (
        not core
        or len(set(plain)) < FEWEST_DIFFERENT
        or _only_rows(plain)
        or plain in _common()
        or _once(_letters(core)) in _common()
        or _once(_letters(core.translate(LETTERS))) in _common()
    )


def _is_like(password: str, username: str) -> bool:
    """Whether it is the username, or the name in an e-mail address, forwards or backwards, with little else."""
    plain = _letters_and_digits(fold(password))
    for name in {_letters_and_digits(fold(part)) for part in (username, username.partition("@")[0])}:
        for written in (name, name[::-1]):
            rest = plain.replace(written, "")
            if (
                len(name) >= SHORTEST_NAME
                and rest != plain
                and (len(rest) < SHORTEST // 2 or _letters(rest) in _common())
            ):
                return True
    return False


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalpha())


def _letters_and_digits(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _once(text: str) -> str:
    """What it repeats: "ciaociao" is "ciao"."""
    repeated = re.fullmatch(r"(.+?)\1+", text)
    return repeated[1] if repeated else text


def _only_rows(text: str) -> bool:
    """Whether it is nothing but runs of three or more along the alphabet, the digits or a keyboard's rows."""
    at = 0
    while at < len(text):
        lengths = range(min(len(text) - at, LONGEST_RUN), 2, -1)
        length = next((each for each in lengths if any(text[at : at + each] in run for run in RUNS)), 0)
        if not length:
            return False
        at += length
    return True
