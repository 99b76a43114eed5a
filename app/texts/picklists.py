"""Which picklists and options does a new company begin with, in Spanish, Italian and English?

Companies edit, add and retire them afterwards; the keys never change. Trade names are the same in all languages.
"""

from app.texts.activity_picklists import OBJECTIVES, OUTCOMES
from app.texts.labels import labels
from app.texts.options import PicklistText, band, named, option

_OTHER = option("other", "Otro", "Altro", "Other")
_REASONS = (
    option("price", "Precio", "Prezzo", "Price"),
    option("competitor", "Competencia", "Concorrenza", "Competitor"),
    option("timing", "No es el momento", "Non è il momento", "Timing"),
    option("no_need", "Sin necesidad", "Nessuna necessità", "No need"),
    option("no_budget", "Sin presupuesto", "Nessun budget", "No budget"),
    option("no_answer", "Sin respuesta", "Nessuna risposta", "No answer"),
    option("unknown", "Desconocido", "Sconosciuto", "Unknown"),
)

PICKLISTS: dict[str, PicklistText] = {
    "sector": PicklistText(
        labels("Sector", "Settore", "Sector"),
        (
            option("technology", "Tecnología", "Tecnologia", "Technology"),
            option("medical", "Sanidad", "Sanità", "Medical"),
            option("retail", "Comercio minorista", "Commercio al dettaglio", "Retail"),
            option("software", "Software", "Software", "Software"),
            option("entertainment", "Entretenimiento", "Intrattenimento", "Entertainment"),
            option("marketing", "Marketing", "Marketing", "Marketing"),
            option("telecommunications", "Telecomunicaciones", "Telecomunicazioni", "Telecommunications"),
            option("finance", "Finanzas", "Finanza", "Finance"),
            option("employment", "Empleo", "Lavoro", "Employment"),
            option("services", "Servicios", "Servizi", "Services"),
            option("manufacturing", "Industria", "Industria manifatturiera", "Manufacturing"),
            option("construction", "Construcción", "Edilizia", "Construction"),
            option("food", "Alimentación", "Alimentare", "Food"),
            option("hospitality", "Hostelería y turismo", "Ospitalità e turismo", "Hospitality"),
            option("education", "Educación", "Istruzione", "Education"),
            option("transport", "Transporte y logística", "Trasporti e logistica", "Transport"),
            option("energy", "Energía", "Energia", "Energy"),
            option("agriculture", "Agricultura", "Agricoltura", "Agriculture"),
            option("public_sector", "Sector público", "Settore pubblico", "Public sector"),
            _OTHER,
        ),
    ),
    "customer_type": PicklistText(
        labels("Tipo de cliente", "Tipo di cliente", "Customer type"),
        (
            option("end_customer", "Cliente final", "Cliente finale", "End customer"),
            option("distributor", "Distribuidor", "Distributore", "Distributor"),
            option("reseller", "Revendedor", "Rivenditore", "Reseller"),
            option("partner", "Socio", "Partner", "Partner"),
            option("public_body", "Organismo público", "Ente pubblico", "Public body"),
            _OTHER,
        ),
    ),
    "department": PicklistText(
        labels("Departamento", "Reparto", "Department"),
        (
            option("management", "Dirección", "Direzione", "Management"),
            option("sales", "Ventas", "Vendite", "Sales"),
            option("marketing", "Marketing", "Marketing", "Marketing"),
            option("support", "Atención al cliente", "Assistenza clienti", "Support"),
            option("administration", "Administración", "Amministrazione", "Administration"),
            option("purchasing", "Compras", "Acquisti", "Purchasing"),
            option("finance", "Finanzas", "Finanza", "Finance"),
            option("human_resources", "Recursos humanos", "Risorse umane", "Human resources"),
            option("information_technology", "Informática", "Informatica", "Information technology"),
            option("production", "Producción", "Produzione", "Production"),
            option("logistics", "Logística", "Logistica", "Logistics"),
            option("legal", "Jurídico", "Legale", "Legal"),
            _OTHER,
        ),
    ),
    "origin": PicklistText(
        labels("Origen", "Origine", "Origin"),
        (
            option("web_search", "Búsqueda en internet", "Ricerca su internet", "Web search"),
            option("social_network", "Red social", "Social network", "Social network"),
            option("advertisement", "Anuncio", "Pubblicità", "Advertisement"),
            option("press", "Prensa", "Stampa", "Press"),
            option("word_of_mouth", "Recomendación", "Passaparola", "Word of mouth"),
            option("event", "Evento", "Evento", "Event"),
            option("cold_call", "Llamada en frío", "Chiamata a freddo", "Cold call"),
            option("partner", "Socio", "Partner", "Partner"),
            _OTHER,
        ),
    ),
    "channel": PicklistText(
        labels("Canal", "Canale", "Channel"),
        (
            option("web_form", "Formulario web", "Modulo web", "Web form"),
            option("email", "Correo electrónico", "E-mail", "E-mail"),
            option("phone", "Teléfono", "Telefono", "Phone"),
            named("whatsapp", "WhatsApp"),
            option("visit", "Visita", "Visita", "Visit"),
            option("shop", "Tienda", "Negozio", "Shop"),
            named("marketplace", "Marketplace"),
            option("partner", "Socio", "Partner", "Partner"),
        ),
    ),
    "purchase_potential": PicklistText(
        labels("Potencial de compra", "Potenziale di acquisto", "Purchase potential"),
        (
            option("high", "Alto", "Alto", "High"),
            option("medium", "Medio", "Medio", "Medium"),
            option("low", "Bajo", "Basso", "Low"),
        ),
    ),
    "annual_revenue_band": PicklistText(
        labels("Tramo de facturación anual", "Fascia di fatturato annuo", "Annual revenue band"),
        (
            band("under_100k", "Menos de 100.000 €", "Meno di 100.000 €", "Under €100,000", 0, 100_000),
            band(
                "to_500k", "De 100.000 a 500.000 €", "Da 100.000 a 500.000 €", "€100,000 to €500,000", 100_000, 500_000
            ),
            band(
                "to_1m",
                "De 500.000 a 1 millón de €",
                "Da 500.000 a 1 milione di €",
                "€500,000 to €1 million",
                500_000,
                10**6,
            ),
            band("over_1m", "Más de 1 millón de €", "Oltre 1 milione di €", "Over €1 million", 10**6, None),
        ),
    ),
    "lifecycle_stage": PicklistText(
        labels("Ciclo de vida", "Ciclo di vita", "Lifecycle stage"),
        (
            option("potential", "Potencial", "Potenziale", "Potential"),
            option("possible", "Posible", "Possibile", "Possible"),
            option("probable", "Probable", "Probabile", "Probable"),
            option("improbable", "Improbable", "Improbabile", "Improbable"),
            option("customer", "Cliente", "Cliente", "Customer"),
            option("captive", "Cautivo", "Fidelizzato", "Captive"),
            option("high_value", "Alto valor", "Alto valore", "High value"),
            option("low_value", "Bajo valor", "Basso valore", "Low value"),
            option("at_risk", "En riesgo", "A rischio", "At risk"),
            option("lost", "Perdido", "Perso", "Lost"),
        ),
    ),
    "objective": OBJECTIVES,
    "outcome": OUTCOMES,
    "lost_reason": PicklistText(labels("Motivo de pérdida", "Motivo della perdita", "Lost reason"), _REASONS),
    "discard_reason": PicklistText(labels("Motivo de descarte", "Motivo dello scarto", "Discard reason"), _REASONS),
    "payment_method": PicklistText(
        labels("Forma de pago", "Metodo di pagamento", "Payment method"),
        (
            option("cash", "Efectivo", "Contanti", "Cash"),
            option("card_debit", "Tarjeta de débito", "Carta di debito", "Debit card"),
            option("card_credit", "Tarjeta de crédito", "Carta di credito", "Credit card"),
            named("paypal", "PayPal"),
            option("cheque", "Cheque", "Assegno", "Cheque"),
            option("bank_transfer", "Transferencia bancaria", "Bonifico bancario", "Bank transfer"),
            option("direct_debit", "Domiciliación bancaria", "Addebito diretto", "Direct debit"),
            option("financed", "Financiado", "Finanziato", "Financed"),
        ),
    ),
    "preferred_channel": PicklistText(
        labels("Canal preferido", "Canale preferito", "Preferred channel"),
        (
            option("email", "Correo electrónico", "E-mail", "E-mail"),
            option("phone", "Teléfono", "Telefono", "Phone"),
            named("sms", "SMS"),
            named("whatsapp", "WhatsApp"),
            option("post", "Correo postal", "Posta", "Post"),
            option("portal", "Portal", "Portale", "Portal"),
            option("in_person", "En persona", "Di persona", "In person"),
        ),
    ),
    "social_network": PicklistText(
        labels("Red social", "Social network", "Social network"),
        (
            named("facebook", "Facebook"),
            named("linkedin", "LinkedIn"),
            named("instagram", "Instagram"),
            named("x", "X"),
            named("youtube", "YouTube"),
            named("tiktok", "TikTok"),
        ),
    ),
    "salutation": PicklistText(
        labels("Tratamiento", "Titolo", "Salutation"),
        (
            option("mr", "Sr.", "Sig.", "Mr"),
            option("ms", "Sra.", "Sig.ra", "Ms"),
            option("dr", "Dr./Dra.", "Dott./Dott.ssa", "Dr"),
            option("prof", "Prof./Profa.", "Prof./Prof.ssa", "Prof."),
        ),
    ),
    "contact_role": PicklistText(
        labels("Papel del contacto", "Ruolo del contatto", "Contact role"),
        (
            option("decision_maker", "Decide", "Decisore", "Decision maker"),
            option("influencer", "Influye", "Influenzatore", "Influencer"),
            option("user", "Usuario", "Utilizzatore", "User"),
            option("billing", "Facturación", "Fatturazione", "Billing"),
        ),
    ),
    "trait": PicklistText(
        labels("Rasgo", "Tratto", "Trait"),
        (
            option("education", "Educación", "Istruzione", "Education"),
            option("socio_economic", "Socioeconómico", "Socioeconomico", "Socio-economic"),
            option("cultural", "Cultural", "Culturale", "Cultural"),
            option("biological", "Biológico", "Biologico", "Biological"),
        ),
    ),
    "address_kind": PicklistText(
        labels("Tipo de dirección", "Tipo di indirizzo", "Address kind"),
        (
            option("main", "Principal", "Principale", "Main"),
            option("billing", "Facturación", "Fatturazione", "Billing"),
            option("shipping", "Envío", "Spedizione", "Shipping"),
            _OTHER,
        ),
    ),
    "customer_relation": PicklistText(
        labels("Relación entre clientes", "Relazione tra clienti", "Customer relation"),
        (
            option("supplier", "Proveedor", "Fornitore", "Supplier"),
            option("partner", "Socio", "Partner", "Partner"),
            option("distributor", "Distribuidor", "Distributore", "Distributor"),
            option("family", "Familia", "Famiglia", "Family"),
            option("other", "Otra", "Altra", "Other"),
        ),
    ),
    "territory": PicklistText(labels("Territorio", "Territorio", "Territory"), ()),
    "competitor": PicklistText(labels("Competidor", "Concorrente", "Competitor"), ()),
}
