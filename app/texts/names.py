"""How are profiles, sections, field groups, stages and fixed kinds called in the three languages?"""

from dataclasses import dataclass

from app.texts.labels import Labels, labels


@dataclass(frozen=True, slots=True)
class StageText:
    """A stage of the shipped pipeline: probability of a sale in percent, days that it is expected to take (None at the
    end), kind open, won or lost."""

    key: str
    labels: Labels
    kind: str
    probability: int
    expected_days: int | None


OPPORTUNITY_PIPELINE = labels("Ventas", "Vendite", "Sales")
OPPORTUNITY_STAGES = (
    StageText("reception", labels("Recepción", "Ricezione", "Reception"), "open", 10, 7),
    StageText("qualification", labels("Cualificación", "Qualificazione", "Qualification"), "open", 25, 14),
    StageText("proposal", labels("Propuesta", "Proposta", "Proposal"), "open", 50, 14),
    StageText("negotiation", labels("Negociación", "Trattativa", "Negotiation"), "open", 75, 21),
    StageText("won", labels("Ganada", "Vinta", "Won"), "won", 100, None),
    StageText("lost", labels("Perdida", "Persa", "Lost"), "lost", 0, None),
)

LEAD_PIPELINE = labels("Clientes potenciales", "Potenziali clienti", "Leads")
LEAD_STAGES = (
    StageText("new", labels("Nuevo", "Nuovo", "New"), "open", 0, 2),
    StageText("contacted", labels("Contactado", "Contattato", "Contacted"), "open", 0, 7),
    StageText("qualified", labels("Cualificado", "Qualificato", "Qualified"), "open", 0, 14),
    StageText("converted", labels("Convertido", "Convertito", "Converted"), "won", 0, None),
    StageText("discarded", labels("Descartado", "Scartato", "Discarded"), "lost", 0, None),
)

PROFILES: dict[str, Labels] = {
    "administrator": labels("Administración", "Amministrazione", "Administrator"),
    "manager": labels("Dirección", "Direzione", "Manager"),
    "sales": labels("Ventas", "Vendite", "Sales"),
    "marketing": labels("Marketing", "Marketing", "Marketing"),
    "support": labels("Atención al cliente", "Assistenza clienti", "Support"),
}

# What a profile sees: the entities, in the plural, and the other parts of the product.
SECTIONS: dict[str, Labels] = {
    "customers": labels("Clientes", "Clienti", "Customers"),
    "contacts": labels("Contactos", "Contatti", "Contacts"),
    "leads": labels("Clientes potenciales", "Potenziali clienti", "Leads"),
    "opportunities": labels("Oportunidades", "Opportunità", "Opportunities"),
    "activities": labels("Actividades", "Attività", "Activities"),
    "messages": labels("Mensajes", "Messaggi", "Messages"),
    "quotes": labels("Presupuestos", "Preventivi", "Quotes"),
    "sales": labels("Ventas", "Vendite", "Sales"),
    "products": labels("Productos", "Prodotti", "Products"),
    "cases": labels("Casos", "Segnalazioni", "Cases"),
    "campaigns": labels("Campañas", "Campagne", "Campaigns"),
    "segments": labels("Segmentos", "Segmenti", "Segments"),
    "surveys": labels("Encuestas", "Sondaggi", "Surveys"),
    "ratings": labels("Valoraciones", "Valutazioni", "Ratings"),
    "templates": labels("Plantillas", "Modelli", "Templates"),
    "workflows": labels("Flujos de trabajo", "Flussi di lavoro", "Workflows"),
    "reports": labels("Informes", "Report", "Reports"),
    "imports": labels("Importaciones", "Importazioni", "Imports"),
    "exports": labels("Exportaciones", "Esportazioni", "Exports"),
    "webhooks": labels("Webhooks", "Webhook", "Webhooks"),
    "forms": labels("Formularios", "Moduli", "Forms"),
    "submissions": labels("Envíos de formularios", "Invii di moduli", "Submissions"),
    "workflow_runs": labels("Ejecuciones de flujos", "Esecuzioni dei flussi", "Workflow runs"),
    "files": labels("Archivos", "File", "Files"),
    "views": labels("Vistas", "Viste", "Views"),
    "users": labels("Usuarios", "Utenti", "Users"),
    "profiles": labels("Perfiles", "Profili", "Profiles"),
    "picklists": labels("Selectores", "Elenchi di scelta", "Picklists"),
    "pipelines": labels("Procesos", "Pipeline", "Pipelines"),
    "fields": labels("Campos", "Campi", "Fields"),
    "layouts": labels("Diseños", "Disposizioni", "Layouts"),
    "access_requests": labels("Solicitudes de acceso", "Richieste di accesso", "Access requests"),
    "api_keys": labels("Claves de API", "Chiavi API", "API keys"),
    "jobs": labels("Tareas en segundo plano", "Lavori in background", "Jobs"),
    "settings": labels("Ajustes", "Impostazioni", "Settings"),
}

# One record of each entity.
ENTITIES: dict[str, Labels] = {
    "customer": labels("Cliente", "Cliente", "Customer"),
    "contact": labels("Contacto", "Contatto", "Contact"),
    "lead": labels("Cliente potencial", "Potenziale cliente", "Lead"),
    "opportunity": labels("Oportunidad", "Opportunità", "Opportunity"),
    "activity": labels("Actividad", "Attività", "Activity"),
    "message": labels("Mensaje", "Messaggio", "Message"),
    "quote": labels("Presupuesto", "Preventivo", "Quote"),
    "sale": labels("Venta", "Vendita", "Sale"),
    "product": labels("Producto", "Prodotto", "Product"),
    "case": labels("Caso", "Segnalazione", "Case"),
    "campaign": labels("Campaña", "Campagna", "Campaign"),
    "segment": labels("Segmento", "Segmento", "Segment"),
    "survey": labels("Encuesta", "Sondaggio", "Survey"),
    "rating": labels("Valoración", "Valutazione", "Rating"),
    "template": labels("Plantilla", "Modello", "Template"),
    "form": labels("Formulario", "Modulo", "Form"),
    "submission": labels("Envío de formulario", "Invio di modulo", "Submission"),
    "workflow": labels("Flujo de trabajo", "Flusso di lavoro", "Workflow"),
    "workflow_run": labels("Ejecución de flujo", "Esecuzione di flusso", "Workflow run"),
    "report": labels("Informe", "Report", "Report"),
    "import": labels("Importación", "Importazione", "Import"),
    "user": labels("Usuario", "Utente", "User"),
    "profile": labels("Perfil", "Profilo", "Profile"),
    "picklist": labels("Selector", "Elenco di scelta", "Picklist"),
    "option": labels("Opción", "Opzione", "Option"),
    "pipeline": labels("Proceso", "Pipeline", "Pipeline"),
    "stage": labels("Etapa", "Fase", "Stage"),
    "settings": labels("Ajustes", "Impostazioni", "Settings"),
}

FIELD_GROUPS: dict[str, Labels] = {
    "open": labels("General", "Generale", "General"),
    "contact_details": labels("Datos de contacto", "Recapiti", "Contact details"),
    "segmentation": labels("Segmentación", "Segmentazione", "Segmentation"),
    "billing": labels("Facturación", "Fatturazione", "Billing"),
    "personal_profile": labels("Perfil personal", "Profilo personale", "Personal profile"),
    "satisfaction": labels("Satisfacción", "Soddisfazione", "Satisfaction"),
    "account": labels("Cuenta", "Account", "Account"),
}

PHONE_KINDS: dict[str, Labels] = {
    "landline": labels("Fijo", "Fisso", "Landline"),
    "mobile": labels("Móvil", "Cellulare", "Mobile"),
    "whatsapp": labels("WhatsApp", "WhatsApp", "WhatsApp"),
    "fax": labels("Fax", "Fax", "Fax"),
}

CUSTOMER_KINDS: dict[str, Labels] = {
    "company": labels("Empresa", "Azienda", "Company"),
    "person": labels("Persona", "Persona", "Person"),
}

PRODUCT_KINDS: dict[str, Labels] = {
    "product": labels("Producto", "Prodotto", "Product"),
    "service": labels("Servicio", "Servizio", "Service"),
}

ACTIVITY_KINDS: dict[str, Labels] = {
    "call": labels("Llamada", "Chiamata", "Call"),
    "email": labels("Correo electrónico", "E-mail", "E-mail"),
    "meeting": labels("Reunión", "Riunione", "Meeting"),
    "visit": labels("Visita", "Visita", "Visit"),
    "message": labels("Mensaje", "Messaggio", "Message"),
    "task": labels("Tarea", "Compito", "Task"),
    "note": labels("Nota", "Nota", "Note"),
}
