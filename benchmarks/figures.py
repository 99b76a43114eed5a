"""What do the measurements come to? Medians of the rounds, ratios to the floor, and a table of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks import load

COLUMNS = ("requests_per_second", "p50_ms", "p99_ms", "server_cpu_ms", "postgres_cpu_ms", "statements")
# Its goal is a page further up of ours, not the floor.
PAGES = ("O9, page 1", "O9")


@dataclass
class Measured:
    """One service in one operation: per round the requests in a second (of O5 the rows) and, for one request,
    milliseconds of processor and statements; the latencies of one client alone, in seconds."""

    rates: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)
    postgres_ms: list[float] = field(default_factory=list)
    statements: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)

    def note(self, rate: float, requests: int, before: tuple[float, ...], after: tuple[float, ...]) -> None:
        """A round: before and after are processor seconds of the service, of PostgreSQL, and statements."""
        server, postgres, statements = ((now - then) / requests for now, then in zip(after, before, strict=True))
        self.rates.append(rate)
        self.server_ms.append(server * 1000)
        self.postgres_ms.append(postgres * 1000)
        self.statements.append(statements)


def answer(found: Mapping[str, Mapping[str, Measured]], memory: Mapping[str, float]) -> dict[str, Any]:
    """What `--json` prints; `ratio` is the median of the rounds', for O9 that of page 1,000 to page 1."""
    lines = []
    for name, of in found.items():
        first, later = (found[page]["ours"] for page in PAGES) if name == PAGES[1] else (of["floor"], of["ours"])
        ratios = [one / other for one, other in zip(later.rates, first.rates, strict=True)]
        lines.append({"operation": name, "ratio": round(median(ratios), 3)} | _figures(of["ours"], of["floor"]))
    return {
        "operations": lines,
        "rss_mb": round(memory["ours"], 1),
        "floor_rss_mb": round(memory["floor"], 1),
    }


def _figures(ours: Measured, bare: Measured) -> dict[str, float]:
    figures: dict[str, float] = {}
    for prefix, of in (("", ours), ("floor_", bare)):
        server, postgres = median(of.server_ms), median(of.postgres_ms)
        figures |= {
            f"{prefix}requests_per_second": round(median(of.rates)),
            f"{prefix}p50_ms": round(load.percentile(of.alone, 0.50), 2),
            f"{prefix}p99_ms": round(load.percentile(of.alone, 0.99), 2),
            f"{prefix}cpu_ms": round(server + postgres, 3),
            f"{prefix}server_cpu_ms": round(server, 3),
            f"{prefix}postgres_cpu_ms": round(postgres, 3),
            f"{prefix}statements": round(median(of.statements), 2),
        }
    return figures


def table(answer: Mapping[str, Any], connections: int) -> str:
    lines = ["", "              requests/s   p50 ms   p99 ms   server ms   PostgreSQL ms   statements   ratio"]
    for figures in answer["operations"]:
        for label, prefix in ((figures["operation"], ""), ("floor", "floor_")):
            row = [figures[prefix + key] for key in COLUMNS]
            lines.append("{:<10}{:>14}{:>9}{:>9}{:>12}{:>16}{:>13}".format(f"{label}", *row))
            if not prefix:
                lines[-1] += f"{figures['ratio']:>8}"
    lines += [
        "",
        f"Memory: {answer['rss_mb']} MB, the floor {answer['floor_rss_mb']} MB.",
        f"Requests per second at {connections} connections (of O5, rows per second); p50 and p99 of one client; the",
        "rest for one request. The ratio is to the floor, of O9 to page 1.",
    ]
    return "\n".join(lines)
