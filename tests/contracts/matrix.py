"""What is every profile answered on every route? One line for each route, one sign for each relation to the record."""

from typing import Any

from tests.contracts import worlds

PROFILES = ("administrator", "manager", "sales", "marketing", "support")
RELATIONS = ("own", "team", "foreign", "nobodys", "missing")

# Five signs, one for each relation; a single one where the route is not about a record.
#   .  done (200, 201, 204)   U  401   F  403   N  404   C  409   I  422   -  there is no such record
# For `POST /v1/X` the relation is that of the customer or owner that the body names; for `…/by/…` that of the
# record that has the external id, where missing means that no record has it; by PUT it is created.
TABLE = """
                                                    administrator  manager  sales  marketing  support
GET     /v1/customers                                   .             .       .        .         .
POST    /v1/customers                                   ....N         ....N   .FFFF    FFFFF     FFFFF
GET     /v1/customers/{id}                              ....N         ..N.N   .NNNN    ....N     ....N
PATCH   /v1/customers/{id}                              ....N         ..N.N   .NNNN    FFFFN     ....N
DELETE  /v1/customers/{id}                              ....N         ..N.N   FNNNN    FFFFN     FFFFN
POST    /v1/customers/{id}/restore                      ....N         ..N.N   FNNNN    FFFFN     FFFFN
GET     /v1/customers/by/{system}/{external_id}         ....N         ..N.N   .NNNN    ....N     ....N
PUT     /v1/customers/by/{system}/{external_id}         .....         ..C..   .CCC.    FFFFF     ....F
GET     /v1/customers/{id}/timeline                     ....N         ..N.N   .NNNN    ....N     ....N
GET     /v1/customers/{id}/page                         ....N         ..N.N   .NNNN    ....N     ....N
GET     /v1/customers/{id}/lifecycle                    ....N         ..N.N   .NNNN    ....N     FFFFN

POST    /v1/customers/{id}/claim                        CCC.N         CCN.N   CNNNN    FFFFN     CCC.N
GET     /v1/customers/{id}/assignees                    ....N         ..N.N   .NNNN    ....N     ....N
PUT     /v1/customers/{id}/assignees/{user_id}          ....N         ..N.N   FNNNN    FFFFN     FFFFN
DELETE  /v1/customers/{id}/assignees/{user_id}          ...NN         ..NNN   FNNNN    FFFFN     FFFFN
GET     /v1/access-requests                             .             .       .        .         .
POST    /v1/access-requests                             .             .       .        .         .
POST    /v1/access-requests/{id}/grant                  ....N         ..N.N   .NNNN    NNNNN     .NNNN
POST    /v1/access-requests/{id}/refuse                 ....N         ..N.N   .NNNN    NNNNN     .NNNN

GET     /v1/contacts                                    .             .       .        .         .
POST    /v1/contacts                                    ....N         ..N.N   .NNNN    FFFFF     FFFFF
GET     /v1/contacts/{id}                               ....N         ..N.N   .NNNN    ....N     ....N
PATCH   /v1/contacts/{id}                               ....N         ..N.N   .NNNN    FFFFN     ....N
DELETE  /v1/contacts/{id}                               ....N         ..N.N   FNNNN    FFFFN     FFFFN
POST    /v1/contacts/{id}/restore                       ....N         ..N.N   FNNNN    FFFFN     FFFFN
GET     /v1/contacts/by/{system}/{external_id}          ....N         ..N.N   .NNNN    ....N     ....N
PUT     /v1/contacts/by/{system}/{external_id}          .....         ..C..   .CCC.    FFFFF     ....F

GET     /v1/opportunities                               .             .       .        .         F
POST    /v1/opportunities                               ....N         ..N.N   .NNNN    FFFFF     FFFFF
GET     /v1/opportunities/{id}                          ....N         ..N.N   .NNNN    ....N     NNNNN
PATCH   /v1/opportunities/{id}                          ....N         ..N.N   .NNNN    FFFFN     NNNNN
DELETE  /v1/opportunities/{id}                          ....N         ..N.N   FNNNN    FFFFN     NNNNN
POST    /v1/opportunities/{id}/restore                  ....N         ..N.N   FNNNN    FFFFN     NNNNN
GET     /v1/opportunities/by/{system}/{external_id}     ....N         ..N.N   .NNNN    ....N     NNNNN
PUT     /v1/opportunities/by/{system}/{external_id}     .....         ..C..   .CCC.    FFFFF     FFFFF
POST    /v1/opportunities/{id}/stage                    ....N         ..N.N   .NNNN    FFFFN     NNNNN
POST    /v1/opportunities/{id}/claim                    CCC.N         CCN.N   CNNNN    FFFFN     NNNNN
GET     /v1/opportunities/{id}/stages                   ....N         ..N.N   .NNNN    ....N     NNNNN

GET     /v1/leads                                       .             .       .        .         F
POST    /v1/leads                                       ....N         ..N.N   .NNNN    ....N     FFFFF
GET     /v1/leads/{id}                                  ....N         ..N.N   .NNNN    ....N     NNNNN
PATCH   /v1/leads/{id}                                  ....N         ..N.N   .NNNN    ....N     NNNNN
DELETE  /v1/leads/{id}                                  ....N         ..N.N   FNNNN    FFFFN     NNNNN
POST    /v1/leads/{id}/restore                          ....N         ..N.N   FNNNN    FFFFN     NNNNN
GET     /v1/leads/by/{system}/{external_id}             ....N         ..N.N   .NNNN    ....N     NNNNN
PUT     /v1/leads/by/{system}/{external_id}             .....         ..C..   .CCC.    .....     FFFFF
POST    /v1/leads/{id}/stage                            ....N         ..N.N   .NNNN    ....N     NNNNN
POST    /v1/leads/{id}/claim                            CCC.N         CCN.N   CNNNN    CCC.N     NNNNN
GET     /v1/leads/{id}/stages                           ....N         ..N.N   .NNNN    ....N     NNNNN
POST    /v1/leads/{id}/convert                          ....N         ..N.N   .NNNN    FFFFN     NNNNN

GET     /v1/activities                                  .             .       .        .         .
POST    /v1/activities                                  ....N         ..N.N   .NNNN    ....N     ....N
GET     /v1/activities/{id}                             ....N         ..N.N   .NNNN    ....N     ....N
PATCH   /v1/activities/{id}                             ....N         ..N.N   .NNNN    .FFFN     .FFFN
DELETE  /v1/activities/{id}                             ....N         ..N.N   FNNNN    FFFFN     FFFFN
POST    /v1/activities/{id}/restore                     ....N         ..N.N   FNNNN    FFFFN     FFFFN
GET     /v1/activities/by/{system}/{external_id}        ....N         ..N.N   .NNNN    ....N     ....N
PUT     /v1/activities/by/{system}/{external_id}        .....         ..C..   .CCC.    .FFF.     .FFF.
POST    /v1/activities/{id}/claim                       CCC.N         CCN.N   CNNNN    CFFFN     CFFFN
POST    /v1/activities/{id}/done                        ....N         ..N.N   .NNNN    .FFFN     .FFFN

GET     /v1/messages                                    .             .       .        .         .
POST    /v1/messages                                    ....N         ..N.N   .NNNN    ....N     ....N
GET     /v1/messages/{id}                               ....N         ..N.N   .NNNN    ....N     ....N
PATCH   /v1/messages/{id}                               ....N         ..N.N   .NNNN    .FFFN     .FFFN
DELETE  /v1/messages/{id}                               ....N         ..N.N   FNNNN    FFFFN     FFFFN
POST    /v1/messages/{id}/restore                       ....N         ..N.N   FNNNN    FFFFN     FFFFN
GET     /v1/messages/by/{system}/{external_id}          ....N         ..N.N   .NNNN    ....N     ....N
PUT     /v1/messages/by/{system}/{external_id}          .....         ..C..   .CCC.    .FFF.     .FFF.

GET     /v1/templates                                   .             .       .        .         .
POST    /v1/templates                                   .             F       F        .         F
GET     /v1/templates/{id}                              ---.N         ---.N   ---.N    ---.N     ---.N
PATCH   /v1/templates/{id}                              ---.N         ---FN   ---FN    ---.N     ---FN
DELETE  /v1/templates/{id}                              ---.N         ---FN   ---FN    ---.N     ---FN
POST    /v1/templates/{id}/restore                      ---.N         ---FN   ---FN    ---.N     ---FN
GET     /v1/templates/by/{system}/{external_id}         ---.N         ---.N   ---.N    ---.N     ---.N
PUT     /v1/templates/by/{system}/{external_id}         ---..         ---FF   ---FF    ---..     ---FF

GET     /v1/forms                                       .             F       F        .         F
POST    /v1/forms                                       .             F       F        .         F
GET     /v1/forms/{id}                                  ---.N         ---NN   ---NN    ---.N     ---NN
PATCH   /v1/forms/{id}                                  ---.N         ---NN   ---NN    ---.N     ---NN
DELETE  /v1/forms/{id}                                  ---.N         ---NN   ---NN    ---.N     ---NN
POST    /v1/forms/{id}/restore                          ---.N         ---NN   ---NN    ---.N     ---NN
GET     /v1/forms/by/{system}/{external_id}             ---.N         ---NN   ---NN    ---.N     ---NN
PUT     /v1/forms/by/{system}/{external_id}             ---..         ---FF   ---FF    ---..     ---FF
POST    /v1/forms/{key}/submissions                     .             .       .        .         .
GET     /v1/submissions                                 .             F       F        .         F
GET     /v1/submissions/{id}                            ---.N         ---NN   ---NN    ---.N     ---NN

GET     /v1/workflows                                   .             F       F        F         F
GET     /v1/workflows/{id}                              ---.N         ---NN   ---NN    ---NN     ---NN
PATCH   /v1/workflows/{id}                              ---.N         ---NN   ---NN    ---NN     ---NN
GET     /v1/workflows/{id}/preview                      ---.N         ---NN   ---NN    ---NN     ---NN
GET     /v1/workflows/{id}/runs                         ---.N         ---NN   ---NN    ---NN     ---NN

GET     /v1/users                                       .             .       .        .         .
POST    /v1/users                                       .             F       F        F         F
GET     /v1/users/{id}                                  ...-N         ...-N   ...-N    ...-N     ...-N
PATCH   /v1/users/{id}                                  ...-N         FFF-N   FFF-N    FFF-N     FFF-N
DELETE  /v1/users/{id}                                  ...-N         FFF-N   FFF-N    FFF-N     FFF-N
POST    /v1/users/{id}/restore                          ...-N         FFF-N   FFF-N    FFF-N     FFF-N
GET     /v1/users/by/{system}/{external_id}             ...-N         ...-N   ...-N    ...-N     ...-N
PUT     /v1/users/by/{system}/{external_id}             ...-.         FFF-F   FFF-F    FFF-F     FFF-F
POST    /v1/users/{id}/hand-over                        ...-N         ..F-N   FFF-N    FFF-N     FFF-N
POST    /v1/users/{id}/password                         I..-N         IFF-N   IFF-N    IFF-N     IFF-N
POST    /v1/users/{id}/invite                           CCC-N         FFF-N   FFF-N    FFF-N     FFF-N
DELETE  /v1/users/{id}/sessions                         ...-N         .FF-N   .FF-N    .FF-N     .FF-N
DELETE  /v1/users/{id}/second-factor                    F..-N         FFF-N   FFF-N    FFF-N     FFF-N

GET     /v1/profiles                                    .             F       F        F         F
POST    /v1/profiles                                    .             F       F        F         F
GET     /v1/profiles/{id}                               ---.N         ---FF   ---FF    ---FF     ---FF
PATCH   /v1/profiles/{id}                               ---.N         ---FF   ---FF    ---FF     ---FF
DELETE  /v1/profiles/{id}                               ---.N         ---FF   ---FF    ---FF     ---FF

GET     /v1/api-keys                                    .             F       F        F         F
POST    /v1/api-keys                                    .             F       F        F         F
GET     /v1/api-keys/{id}                               ---.N         ---NN   ---NN    ---NN     ---NN
PATCH   /v1/api-keys/{id}                               ---.N         ---NN   ---NN    ---NN     ---NN
DELETE  /v1/api-keys/{id}                               ---.N         ---NN   ---NN    ---NN     ---NN

GET     /v1/products                                    .             .       .        .         .
POST    /v1/products                                    .             F       F        F         F
GET     /v1/products/{id}                               ---.N         ---.N   ---.N    ---.N     ---.N
PATCH   /v1/products/{id}                               ---.N         ---FN   ---FN    ---FN     ---FN
DELETE  /v1/products/{id}                               ---.N         ---FN   ---FN    ---FN     ---FN
POST    /v1/products/{id}/restore                       ---.N         ---FN   ---FN    ---FN     ---FN
GET     /v1/products/by/{system}/{external_id}          ---.N         ---.N   ---.N    ---.N     ---.N
PUT     /v1/products/by/{system}/{external_id}          ---..         ---FF   ---FF    ---FF     ---FF

GET     /v1/picklists                                   .             .       .        .         .
GET     /v1/picklists/{id}                              ---.N         ---.N   ---.N    ---.N     ---.N
GET     /v1/pipelines                                   .             .       .        .         .
GET     /v1/pipelines/{id}                              ---.N         ---.N   ---.N    ---.N     ---.N
GET     /v1/imports                                     .             .       F        .         F
POST    /v1/imports                                     .             .       F        F         F
GET     /v1/imports/{id}                                ...-N         .NN-N   NNN-N    .NN-N     NNN-N
GET     /v1/imports/{id}/errors                         ...-N         .NN-N   NNN-N    .NN-N     NNN-N

GET     /v1/reports/won-amounts                         .             .       .        .         F

GET     /v1/jobs                                        .             F       F        F         F
GET     /v1/jobs/{id}                                   ---.N         ---FF   ---FF    ---FF     ---FF
POST    /v1/jobs/{id}/retry                             ---.N         ---FF   ---FF    ---FF     ---FF
GET     /v1/settings                                    .             F       F        F         F
PATCH   /v1/settings                                    .             F       F        F         F

GET     /v1/me                                          .             .       .        .         .
PATCH   /v1/me                                          .             .       .        .         .
GET     /v1/access/explain                              ....N         FFFFF    FFFFF   FFFFF     FFFFF
GET     /v1/me/agenda                                   .             .       .        .         .
POST    /v1/auth/token                                  U             U       U        U         U
POST    /v1/auth/refresh                                U             U       U        U         U
POST    /v1/auth/logout                                 .             .       .        .         .
POST    /v1/auth/password/forgot                        .             .       .        .         .
POST    /v1/auth/password/reset                         I             I       I        I         I
POST    /v1/auth/password/change                        I             I       I        I         I
GET     /v1/auth/sessions                               .             .       .        .         .
DELETE  /v1/auth/sessions                               .             .       .        .         .
DELETE  /v1/auth/sessions/{id}                          N             N       N        N         N
GET     /v1/auth/second-factor                          .             .       .        .         .
POST    /v1/auth/second-factor                          .             .       .        .         .
POST    /v1/auth/second-factor/confirm                  C             C       C        C         C
DELETE  /v1/auth/second-factor                          C             C       C        C         C
GET     /v1/auth/openid/start                           I             I       I        I         I
GET     /v1/auth/openid/callback                        N             N       N        N         N
GET     /healthz                                        .             .       .        .         .
GET     /readyz                                         .             .       .        .         .
"""
STATUS = {"U": 401, "F": 403, "N": 404, "C": 409, "I": 422}
OPEN = {
    "/v1/auth/token",
    "/v1/auth/refresh",
    "/v1/auth/password/forgot",
    "/v1/auth/password/reset",
    "/v1/auth/openid/start",
    "/v1/auth/openid/callback",
    "/v1/forms/{key}/submissions",
    "/healthz",
    "/readyz",
}
PASSWORD = {"password": "la gata bebe leche", "current_password": "not this one"}

QUERIES = {
    "GET /v1/access/explain": "?user_id={asking}&entity=customers&id={customers}",
    "DELETE /v1/users/{id}": "?confirm=true",
    "PUT /v1/users/by/{system}/{external_id}": "?confirm=true",
}

BODIES: dict[str, dict[str, Any]] = {
    "PATCH /v1/customers/{id}": {"description": "Changed"},
    "PATCH /v1/contacts/{id}": {"job_title": "Changed"},
    "PATCH /v1/opportunities/{id}": {"description": "Changed"},
    "PATCH /v1/leads/{id}": {"job_title": "Changed"},
    "PATCH /v1/activities/{id}": {"location": "Changed"},
    "POST /v1/activities/{id}/done": {"outcome": "reached", "next_activity": {"kind": "call", "subject": "Next"}},
    "PATCH /v1/messages/{id}": {"subject": "Changed"},
    "PATCH /v1/templates/{id}": {"name": "Changed"},
    "PATCH /v1/forms/{id}": {"name": "Changed"},
    "PATCH /v1/workflows/{id}": {"enabled": True},
    "PATCH /v1/users/{id}": {"tags": ["changed"]},
    "PATCH /v1/profiles/{id}": {"second_factor_required": True},
    "PATCH /v1/api-keys/{id}": {"name": "Changed"},
    "PATCH /v1/products/{id}": {"unit": "changed"},
    "PATCH /v1/settings": {"company_name": "Changed"},
    "PATCH /v1/me": {"locale": "it"},
    "PUT /v1/customers/by/{system}/{external_id}": {"name": "Put"},
    "PUT /v1/opportunities/by/{system}/{external_id}": {"name": "Put"},
    "PUT /v1/leads/by/{system}/{external_id}": {"company_name": "Put"},
    "PUT /v1/activities/by/{system}/{external_id}": {"kind": "call", "subject": "Put"},
    "PUT /v1/messages/by/{system}/{external_id}": {"channel": "phone", "subject": "Put"},
    "PUT /v1/templates/by/{system}/{external_id}": worlds.TEMPLATE | {"key": "put"},
    "PUT /v1/forms/by/{system}/{external_id}": worlds.FORM | {"key": "put"},
    "PUT /v1/users/by/{system}/{external_id}": {"name": "Put", "username": "put", "profile_id": "support"},
    "PUT /v1/products/by/{system}/{external_id}": {"name": "Put"},
    "POST /v1/users": {"name": "New", "username": "new", "profile_id": "support"},
    "POST /v1/profiles": worlds.PROFILE | {"id": "new"},
    "POST /v1/products": {"name": "New"},
    "POST /v1/templates": worlds.TEMPLATE | {"key": "new"},
    "POST /v1/forms": worlds.FORM | {"key": "new"},
    "POST /v1/forms/{key}/submissions": {"email": "eva@acero.es"},
    "POST /v1/leads/{id}/stage": {"stage": "contacted"},
    "POST /v1/opportunities/{id}/stage": {"stage": "qualification"},
    "POST /v1/access-requests": {"reason": "They called me", "email": "nobody@acero.es"},
    "POST /v1/users/{id}/password": PASSWORD,
    "POST /v1/auth/refresh": {"refresh_token": "none"},
    "POST /v1/auth/password/forgot": {"username": "nobody"},
    "POST /v1/auth/password/reset": {"token": "none", "password": "la gata bebe leche"},
    "POST /v1/auth/password/change": PASSWORD,
    "POST /v1/auth/second-factor": {},
    "POST /v1/auth/second-factor/confirm": {"code": "123456"},
    "DELETE /v1/auth/second-factor": {"code": "123456"},
}
