"""Codes of a second factor, as the standard and its authenticators have them; secrets as they are kept."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from app import clock
from app.domain import codes

# RFC 6238, appendix B: the secret of its tests, and instants with the last six digits of their codes.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
INSTANTS = {1111111109: "081804", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"}


@pytest.mark.parametrize(("instant", "code"), INSTANTS.items())
def test_a_code_is_that_of_the_standard(monkeypatch: pytest.MonkeyPatch, instant: int, code: str) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(instant, UTC))
    step = instant // 30
    assert codes.matching_step(SECRET, code, None) == step
    assert codes.matching_step(SECRET, code, step - 1) == step
    assert codes.matching_step(SECRET, code, step) is None, "used"
    for late, found in ((30, step), (-30, step), (60, None), (-60, None)):
        at = datetime.fromtimestamp(instant + late, UTC)
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        assert codes.matching_step(SECRET, code, None) == found, late


def test_a_secret_is_opened_for_its_user_alone() -> None:
    ana, bea = uuid4(), uuid4()
    secret = codes.new_secret()
    kept = codes.sealed(secret, ana)
    assert codes.opened(kept, ana) == secret
    assert codes.opened(kept, bea) is None
    assert codes.sealed_anew(kept, ana) is None, "there is no newer key"
    assert secret.encode() not in kept
    assert codes.sealed(secret, ana) != kept


def test_a_code_reads_the_same_however_it_is_grouped() -> None:
    assert codes.plain(" 123 456\n") == codes.plain("123-456") == "123456"
    assert codes.is_of_now("123456")
    for other in ("12345", "1234567", "١٢٣٤٥٦", "12345x", ""):
        assert not codes.is_of_now(other)
        assert codes.matching_step(SECRET, other, None) is None
    assert codes.recovery_hash("\ud800"), "what cannot be a code has a hash, which none has"
    made = codes.new_recovery_codes()
    assert not any(codes.is_of_now(codes.plain(code)) for code in made)
    assert codes.recovery_hash(codes.plain(made[0])) == codes.recovery_hash(codes.plain(made[0].upper()))
