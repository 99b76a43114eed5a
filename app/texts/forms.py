"""What does a visitor of a form read, and in which language?"""

from collections.abc import Sequence

from app.texts.labels import FALLBACK, LANGUAGES, Labels, labels

# Of those fields that a form gives no labels of its own.
FIELDS: dict[str, Labels] = {
    "name": labels("Nombre y apellidos", "Nome e cognome", "Name"),
    "first_name": labels("Nombre", "Nome", "First name"),
    "last_name": labels("Apellidos", "Cognome", "Last name"),
    "email": labels("Correo electrónico", "E-mail", "E-mail"),
    "phone": labels("Teléfono", "Telefono", "Telephone"),
    "company_name": labels("Empresa", "Azienda", "Company"),
    "job_title": labels("Cargo", "Ruolo", "Job title"),
    "website": labels("Página web", "Sito web", "Website"),
    "request": labels("¿Qué necesita?", "Di che cosa ha bisogno?", "What do you need?"),
    "message": labels("Mensaje", "Messaggio", "Message"),
}

REQUESTS: dict[str, Labels] = {
    "information": labels("Información", "Informazioni", "Information"),
    "quote": labels("Un presupuesto", "Un preventivo", "A quote"),
    "purchase": labels("Comprar", "Acquistare", "To buy"),
}

RECEIVED = labels(
    "Gracias. Hemos recibido su mensaje.",
    "Grazie. Abbiamo ricevuto il suo messaggio.",
    "Thank you. We have received your message.",
)

# By error code, for browsers without a page of the site's own to go on to.
PROBLEMS: dict[str, Labels] = {
    "consent_required": labels(
        "Para enviar el formulario hace falta su consentimiento. Vuelva atrás y marque la casilla.",
        "Per inviare il modulo serve il suo consenso. Torni indietro e lo selezioni.",
        "The form cannot be sent without your consent. Please go back and tick it.",
    ),
    "too_many_requests": labels(
        "Demasiados envíos seguidos. Vuelva a intentarlo dentro de un rato.",
        "Troppi invii di seguito. Riprovi tra qualche minuto.",
        "Too many in a row. Please try again in a while.",
    ),
    "not_found": labels("Este formulario no existe.", "Questo modulo non esiste.", "There is no such form."),
    "origin_not_allowed": labels(
        "Este formulario no se puede enviar desde esta página.",
        "Questo modulo non si può inviare da questa pagina.",
        "This form cannot be sent from this page.",
    ),
}
ANY_PROBLEM = labels(
    "No se ha podido enviar. Vuelva atrás y revise los datos.",
    "Non è stato possibile inviarlo. Torni indietro e controlli i dati.",
    "It could not be sent. Please go back and check what you entered.",
)

MOST_ACCEPTED = 10


def visitor_language(asked: str | None, accepted: str, company: Sequence[str]) -> str:
    """Of ours the one that was asked for, else the first that the browser prefers, else the company's first.

    accepted: the header `Accept-Language`. Never raises.
    """
    wishes = [asked or "", *_by_preference(accepted), *company, FALLBACK]
    primary = (wish.replace("_", "-").partition("-")[0].strip().lower() for wish in wishes)
    return next(language for language in primary if language in LANGUAGES)


def _by_preference(accepted: str) -> list[str]:
    weighted = []
    for each in accepted[:300].split(",")[:MOST_ACCEPTED]:
        tag, _, weight = each.partition(";q=")
        try:
            weighted.append((float(weight or 1), tag))
        except ValueError:
            continue
    # Stable: of two that weigh the same the first is preferred.
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]
