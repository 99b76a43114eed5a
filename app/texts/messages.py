"""What do the shipped templates and the activities that workflows plan say in the three languages?"""

from app.texts.labels import Labels, labels

TEMPLATES: dict[str, tuple[Labels, Labels, Labels]] = {
    "web_lead_answer": (
        labels("Respuesta a una solicitud web", "Risposta a una richiesta web", "Answer to a web request"),
        labels("Hemos recibido su mensaje", "Abbiamo ricevuto il suo messaggio", "We have received your message"),
        labels(
            "Hola {first_name}:\n\n"
            "Gracias por escribirnos. Hemos recibido su mensaje y le llamaremos lo antes posible, dentro de nuestro "
            "horario de atención.\n\n"
            "Un cordial saludo,\n{company_name}",
            "Buongiorno {first_name},\n\n"
            "grazie per averci scritto. Abbiamo ricevuto il suo messaggio e la chiameremo al più presto, nei nostri "
            "orari di apertura.\n\n"
            "Cordiali saluti\n{company_name}",
            "Hello {first_name},\n\n"
            "Thank you for writing to us. We have received your message and will call you as soon as we can, during "
            "our opening hours.\n\n"
            "Kind regards,\n{company_name}",
        ),
    )
}

WORKFLOWS: dict[str, Labels] = {
    "web_lead": labels("Solicitud web", "Richiesta web", "Web lead"),
    "stalled_opportunity": labels("Oportunidad estancada", "Opportunità ferma", "Stalled opportunity"),
}

# Without names: who reads an activity may not see the lead or the opportunity that it is about.
CALL_LEAD = labels("Llamar por su solicitud web", "Chiamare per la richiesta web", "Call about the web request")
FOLLOW_UP = labels("Días sin movimiento: {days}", "Giorni senza movimento: {days}", "Days without movement: {days}")
