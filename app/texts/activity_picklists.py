"""What can an activity aim at and how can it end, by kind of activity, out of the box?"""

from app.texts.labels import labels
from app.texts.options import PicklistText, option

_TALKS = ["call", "email", "meeting", "visit", "message"]
_ALL_KINDS = [*_TALKS, "task"]

OBJECTIVES = PicklistText(
    labels("Objetivo", "Obiettivo", "Objective"),
    (
        option("first_meeting", "Primer contacto", "Primo incontro", "First meeting", activity_kinds=_TALKS),
        option("discovery", "Análisis de necesidades", "Analisi delle esigenze", "Discovery", activity_kinds=_TALKS),
        option(
            "presentation",
            "Presentación",
            "Presentazione",
            "Presentation",
            activity_kinds=["meeting", "visit", "call"],
        ),
        option("offer", "Oferta", "Offerta", "Offer", activity_kinds=_ALL_KINDS),
        option("negotiation", "Negociación", "Trattativa", "Negotiation", activity_kinds=_TALKS),
        option("closing", "Cierre", "Chiusura", "Closing", activity_kinds=_ALL_KINDS),
        option("delivery", "Entrega", "Consegna", "Delivery", activity_kinds=_ALL_KINDS),
        option("support", "Asistencia", "Assistenza", "Support", activity_kinds=_ALL_KINDS),
        option("loyalty", "Fidelización", "Fidelizzazione", "Loyalty", activity_kinds=_ALL_KINDS),
    ),
)
OUTCOMES = PicklistText(
    labels("Resultado", "Esito", "Outcome"),
    (
        option(
            "reached",
            "Localizado",
            "Raggiunto",
            "Reached",
            result="positive",
            activity_kinds=["call", "visit", "message"],
        ),
        option(
            "no_answer",
            "Sin respuesta",
            "Nessuna risposta",
            "No answer",
            result="negative",
            activity_kinds=["call", "email", "visit", "message"],
        ),
        option("interested", "Interesado", "Interessato", "Interested", result="positive", activity_kinds=_TALKS),
        option(
            "not_interested",
            "No interesado",
            "Non interessato",
            "Not interested",
            result="negative",
            activity_kinds=_TALKS,
        ),
        option(
            "call_back",
            "Volver a llamar",
            "Da richiamare",
            "Call back",
            result="neutral",
            activity_kinds=["call", "message"],
        ),
        option(
            "done",
            "Hecho",
            "Fatto",
            "Done",
            result="positive",
            activity_kinds=["email", "meeting", "visit", "task"],
        ),
        option(
            "cancelled",
            "Cancelado",
            "Annullato",
            "Cancelled",
            result="negative",
            activity_kinds=["meeting", "visit", "task"],
        ),
    ),
)
