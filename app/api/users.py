"""Users over HTTP."""

from app.api.handing_over import CONFIRMED, add_hand_over_route
from app.api.records import record_routes
from app.domain import users
from app.domain.entities.users import USERS

router = record_routes(USERS, users.create, users.change, users.archive, users.restore, confirmed=[CONFIRMED])
add_hand_over_route(router)
