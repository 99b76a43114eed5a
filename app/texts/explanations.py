"""Why may somebody do something with a record, or not? The reasons by their codes, in the three languages."""

from app.texts.labels import Labels, labels

FOR: dict[str, Labels] = {
    "reaches_all": labels(
        "Su perfil alcanza todos los registros de la sección",
        "Il suo profilo raggiunge tutti i record della sezione",
        "Their profile reaches all records of the section",
    ),
    "assigned": labels(
        "El cliente está asignado a alguien a quien alcanza",
        "Il cliente è assegnato a qualcuno che l'utente raggiunge",
        "The customer is assigned to somebody whom they reach",
    ),
    "owner": labels(
        "El registro es de alguien a quien alcanza",
        "Il record è di qualcuno che l'utente raggiunge",
        "The record belongs to somebody whom they reach",
    ),
    "themselves": labels(
        "Es el usuario mismo o alguien a quien alcanza",
        "È l'utente stesso o qualcuno che l'utente raggiunge",
        "It is themselves or somebody whom they reach",
    ),
    "nobodys": labels(
        "No es de nadie, y su perfil asigna lo que no es de nadie",
        "Non è di nessuno, e il suo profilo assegna ciò che non è di nessuno",
        "It is nobody's, and their profile assigns what is nobody's",
    ),
    "about": labels(
        "Trata de un registro de alguien a quien alcanza",
        "Riguarda un record di qualcuno che l'utente raggiunge",
        "It is about a record of somebody whom they reach",
    ),
    "field_open": labels(
        "Su perfil abre el grupo del campo",
        "Il suo profilo apre il gruppo del campo",
        "Their profile opens the field's group",
    ),
}

AGAINST: dict[str, Labels] = {
    "inactive": labels("El usuario no está activo", "L'utente non è attivo", "The user is not active"),
    "not_granted": labels(
        "Ninguna política de su perfil lo concede",
        "Nessuna regola del suo profilo lo concede",
        "No policy of their profile grants it",
    ),
    "not_assigned": labels(
        "El cliente no está asignado a nadie a quien alcance",
        "Il cliente non è assegnato a nessuno che l'utente raggiunga",
        "The customer is assigned to nobody whom they reach",
    ),
    "not_owner": labels(
        "El registro no es de nadie a quien alcance",
        "Il record non è di nessuno che l'utente raggiunga",
        "The record belongs to nobody whom they reach",
    ),
    "assign_not_granted": labels(
        "Ninguna política de su perfil le permite asignar",
        "Nessuna regola del suo profilo gli consente di assegnare",
        "No policy of their profile lets them assign",
    ),
    "no_such_route": labels(
        "La API no lo ofrece para estos registros",
        "L'API non lo offre per questi record",
        "The API does not offer it for these records",
    ),
    "archived": labels("El registro está archivado", "Il record è archiviato", "The record is archived"),
    "not_archived": labels("El registro no está archivado", "Il record non è archiviato", "The record is not archived"),
    "group_closed": labels(
        "Su perfil no abre el grupo del campo",
        "Il suo profilo non apre il gruppo del campo",
        "Their profile does not open the field's group",
    ),
    "sums_up_more": labels(
        "El campo resume registros que su perfil no alcanza del todo",
        "Il campo riassume record che il suo profilo non raggiunge del tutto",
        "The field sums up records that their profile does not reach as far",
    ),
    "not_written": labels(
        "El campo no se cambia directamente",
        "Il campo non si modifica direttamente",
        "The field is not changed directly",
    ),
}
