"""Which codes prove a second factor? Six digits that change every 30 seconds (RFC 6238), and recovery codes.

The shared secret is kept sealed, with a key derived from the company's, and bound to its user.
"""

import hmac
import os
import re
import secrets
from hashlib import sha256
from io import BytesIO
from uuid import UUID

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app import clock
from app.settings import derived_keys

ISSUER = "Clientela"
SECONDS = 30
# Clocks differ: the step before and the step after are taken too.
STEPS = (0, -1, 1)
HOW_MANY = 10
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
NONCE = 12


def new_secret() -> str:
    """160 bits, in base 32, as people type it where they cannot scan."""
    return pyotp.random_base32()


def address(secret: str, username: str) -> str:
    """The `otpauth` address that an authenticator reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def picture(address: str) -> str:
    """The address as a QR code, an SVG document."""
    written = BytesIO()
    segno.make_qr(address).save(written, kind="svg", scale=4, xmldecl=False, nl=False)
    return written.getvalue().decode()


def matching_step(secret: str, code: str, after: int | None) -> int | None:
    """The time step whose code it is, later than `after`; None if it is no code of now."""
    if not is_of_now(code):
        return None
    now = int(clock.now().timestamp()) // SECONDS
    codes = pyotp.TOTP(secret)
    for step in (now + each for each in STEPS):
        if (after is None or step > after) and hmac.compare_digest(codes.generate_otp(step), code):
            return step
    return None


def plain(code: str) -> str:
    """The code as it is compared, however people group it."""
    return re.sub(r"[\s-]", "", code).lower()


def is_of_now(code: str) -> bool:
    """Whether it has the form of a code that changes; else it may be a recovery code."""
    return re.fullmatch(r"[0-9]{6}", code) is not None


def new_recovery_codes() -> list[str]:
    """Each of 80 bits, in groups of four."""
    return ["-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(HOW_MANY)]


def recovery_hash(code: str) -> bytes:
    """What is kept of a recovery code, as `plain` has it: it cannot be guessed, so it need not be slow."""
    return sha256(code.encode(errors="replace")).digest()


def sealed(secret: str, user_id: UUID) -> bytes:
    """The secret as it is kept."""
    nonce = os.urandom(NONCE)
    return nonce + _keys()[0].encrypt(nonce, secret.encode(), user_id.bytes)


def opened(kept: bytes, user_id: UUID) -> str | None:
    """The secret that was sealed; None when the company's key is another one now."""
    return next((secret for key in _keys() if (secret := _by(key, kept, user_id)) is not None), None)


def sealed_anew(kept: bytes, user_id: UUID) -> bytes | None:
    """The same with the newest key; None if it is, or if no key of the company's opens it."""
    if _by(_keys()[0], kept, user_id) is not None or (secret := opened(kept, user_id)) is None:
        return None
    return sealed(secret, user_id)


def _by(key: AESGCM, kept: bytes, user_id: UUID) -> str | None:
    try:
        return key.decrypt(kept[:NONCE], kept[NONCE:], user_id.bytes).decode()
    except InvalidTag:
        return None


def _keys() -> list[AESGCM]:
    return [AESGCM(key) for key in derived_keys("second factor")]
