"""When was a form given to its visitor? A signed stamp says so, and needs no cookie."""

import hmac
import re
from base64 import urlsafe_b64encode
from datetime import timedelta
from uuid import UUID

from app import clock
from app.settings import derived_keys

_FORM = re.compile(r"([0-9]{13})\.([A-Za-z0-9_-]{32})")


def issue(form_id: UUID) -> str:
    """The stamp of a form that is given out now."""
    moment = f"{int(clock.now().timestamp() * 1000):013}"
    return f"{moment}.{_signature(derived_keys('form stamp')[0], form_id, moment)}"


def age(stamp: str, form_id: UUID) -> timedelta | None:
    """How long ago the stamp was issued; None for one that is not ours, or is another form's."""
    found = _FORM.fullmatch(stamp)
    if found is None:
        return None
    moment, signature = found.groups()
    if not any(hmac.compare_digest(_signature(key, form_id, moment), signature) for key in derived_keys("form stamp")):
        return None
    return timedelta(milliseconds=clock.now().timestamp() * 1000 - int(moment))


def _signature(key: bytes, form_id: UUID, moment: str) -> str:
    return urlsafe_b64encode(hmac.digest(key, form_id.bytes + moment.encode(), "sha256")[:24]).decode()
