"""What are the demo's places, trades, products and sentences, in Spanish and Italian?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A town as an address names it; `prefix` begins its postal codes, `landline` its telephone numbers."""

    city: str
    province: str
    region: str
    prefix: str
    landline: str


PLACES = {
    "ES": (
        Place("Madrid", "Madrid", "Comunidad de Madrid", "280", "91"),
        Place("Getafe", "Madrid", "Comunidad de Madrid", "289", "91"),
        Place("Barcelona", "Barcelona", "Cataluña", "080", "93"),
        Place("Sabadell", "Barcelona", "Cataluña", "082", "93"),
        Place("Valencia", "Valencia", "Comunidad Valenciana", "460", "963"),
        Place("Elche", "Alicante", "Comunidad Valenciana", "032", "965"),
        Place("Sevilla", "Sevilla", "Andalucía", "410", "954"),
        Place("Málaga", "Málaga", "Andalucía", "290", "952"),
        Place("Zaragoza", "Zaragoza", "Aragón", "500", "976"),
        Place("Bilbao", "Vizcaya", "País Vasco", "480", "944"),
        Place("Vigo", "Pontevedra", "Galicia", "362", "986"),
        Place("Gijón", "Asturias", "Principado de Asturias", "332", "985"),
        Place("Valladolid", "Valladolid", "Castilla y León", "470", "983"),
        Place("Murcia", "Murcia", "Región de Murcia", "300", "968"),
    ),
    "IT": (
        Place("Milano", "Milano", "Lombardia", "201", "02"),
        Place("Bergamo", "Bergamo", "Lombardia", "241", "035"),
        Place("Torino", "Torino", "Piemonte", "101", "011"),
        Place("Genova", "Genova", "Liguria", "161", "010"),
        Place("Verona", "Verona", "Veneto", "371", "045"),
        Place("Padova", "Padova", "Veneto", "351", "049"),
        Place("Bologna", "Bologna", "Emilia-Romagna", "401", "051"),
        Place("Modena", "Modena", "Emilia-Romagna", "411", "059"),
        Place("Firenze", "Firenze", "Toscana", "501", "055"),
        Place("Roma", "Roma", "Lazio", "001", "06"),
        Place("Napoli", "Napoli", "Campania", "801", "081"),
        Place("Bari", "Bari", "Puglia", "701", "080"),
        Place("Palermo", "Palermo", "Sicilia", "901", "091"),
    ),
}
STREETS = {
    "ES": ("Calle Mayor", "Calle del Olmo", "Avenida de la Constitución", "Calle del Puerto", "Paseo de la Alameda",
           "Plaza del Mercado", "Calle de los Artesanos", "Ronda Norte", "Calle del Río", "Camino Viejo"),
    "IT": ("Via Garibaldi", "Via dei Mille", "Corso Italia", "Via del Porto", "Viale dei Tigli", "Piazza del Mercato",
           "Via degli Artigiani", "Via San Martino", "Via della Stazione", "Strada Vecchia"),
}  # fmt: skip
# How a company calls itself before its family's name, and its sector.
TRADES = {
    "ES": (("Cafetería", "hospitality"), ("Hotel", "hospitality"), ("Restaurante", "hospitality"),
           ("Panadería", "food"), ("Pastelería", "food"), ("Conservas", "food"), ("Talleres", "manufacturing"),
           ("Muebles", "retail"), ("Librería", "retail"), ("Construcciones", "construction"),
           ("Transportes", "transport"), ("Academia", "education"), ("Clínica", "medical"), ("Bodegas", "agriculture"),
           ("Gestoría", "services")),
    "IT": (("Caffè", "hospitality"), ("Albergo", "hospitality"), ("Trattoria", "hospitality"), ("Panificio", "food"),
           ("Pasticceria", "food"), ("Salumificio", "food"), ("Officine", "manufacturing"), ("Arredamenti", "retail"),
           ("Libreria", "retail"), ("Costruzioni", "construction"), ("Autotrasporti", "transport"),
           ("Istituto", "education"), ("Studio medico", "medical"), ("Cantine", "agriculture"), ("Studio", "services")),
}  # fmt: skip
LEGAL_FORMS = {"ES": ("S.L.", "S.A.", "e Hijos S.L.", "S.L.U."), "IT": ("S.r.l.", "S.p.A.", "& Figli S.n.c.", "S.a.s.")}
# Of a woman and of a man, with department and role.
JOBS = {
    "ES": (("Gerente", "Gerente", "management", "decision_maker"),
           ("Jefa de compras", "Jefe de compras", "purchasing", "influencer"),
           ("Administración", "Administración", "finance", "billing"),
           ("Encargada", "Encargado", "production", "user")),
    "IT": (("Amministratrice", "Amministratore", "management", "decision_maker"),
           ("Responsabile acquisti", "Responsabile acquisti", "purchasing", "influencer"),
           ("Contabilità", "Contabilità", "finance", "billing"),
           ("Capoturno", "Capoturno", "production", "user")),
}  # fmt: skip
# sku, name, kind, category, unit, price in EUR: what a seller of coffee machines and what goes with them offers.
PRODUCTS = (
    ("CAF-100", "Cafetera Brisa 1 grupo", "product", "Cafeteras", "ud.", "1890.00"),
    ("CAF-200", "Cafetera Brisa 2 grupos", "product", "Cafeteras", "ud.", "3450.00"),
    ("CAF-300", "Cafetera Tramontana 3 grupos", "product", "Cafeteras", "ud.", "6200.00"),
    ("CAF-400", "Cafetera superautomática Alba", "product", "Cafeteras", "ud.", "4980.00"),
    ("CAF-500", "Máquina de cápsulas Nube", "product", "Cafeteras", "ud.", "320.00"),
    ("MOL-100", "Molino Piedra", "product", "Molinos", "ud.", "540.00"),
    ("MOL-200", "Molino Piedra Pro", "product", "Molinos", "ud.", "980.00"),
    ("AGU-100", "Descalcificador 12 litros", "product", "Agua", "ud.", "210.00"),
    ("AGU-200", "Fuente de agua filtrada", "product", "Agua", "ud.", "760.00"),
    ("CON-100", "Café en grano Sierra, 10 kg", "product", "Consumibles", "caja", "142.50"),
    ("CON-200", "Café descafeinado, 10 kg", "product", "Consumibles", "caja", "158.00"),
    ("CON-300", "Vasos compostables, 1.000", "product", "Consumibles", "caja", "64.90"),
    ("SER-100", "Instalación y puesta en marcha", "service", "Servicios", "visita", "280.00"),
    ("SER-200", "Mantenimiento anual", "service", "Servicios", "año", "590.00"),
    ("SER-300", "Curso de barista", "service", "Servicios", "día", "450.00"),
)
# By the stage that an opportunity is in: kind, objective, and what it is called in each language.
ACTIVITIES = {
    "reception": (("call", "first_meeting", "Primera llamada", "Prima telefonata"),
                  ("email", "first_meeting", "Presentarse por correo", "Presentarsi via e-mail")),
    "qualification": (("visit", "discovery", "Visita al local", "Visita al locale"),
                      ("call", "discovery", "Preguntar por el consumo", "Chiedere i consumi")),
    "proposal": (("meeting", "presentation", "Demostración de la máquina", "Dimostrazione della macchina"),
                 ("email", "offer", "Enviar la oferta", "Inviare l'offerta")),
    "negotiation": (("call", "negotiation", "Hablar de precio y plazos", "Parlare di prezzo e tempi"),
                    ("meeting", "closing", "Reunión de cierre", "Incontro di chiusura")),
    "won": (("task", "delivery", "Preparar la instalación", "Preparare l'installazione"),),
    "loyalty": (("call", "loyalty", "Llamada de seguimiento", "Telefonata di cortesia"),
                ("visit", "support", "Revisión de la máquina", "Revisione della macchina")),
}  # fmt: skip
REPORTS = {
    "es": ("Están contentos con la propuesta.", "Quieren probar la máquina una semana.", "Piden un precio mejor.",
           "Lo consultarán con la dirección.", "Tienen otra oferta sobre la mesa."),
    "it": ("Sono contenti della proposta.", "Vogliono provare la macchina per una settimana.",
           "Chiedono un prezzo migliore.", "Ne parleranno con la direzione.", "Hanno un'altra offerta sul tavolo."),
}  # fmt: skip
REQUESTS = {
    "es": ("Quisiera información sobre sus cafeteras de dos grupos.", "¿Cuánto cuesta el mantenimiento anual?",
           "Abrimos un local en primavera y buscamos proveedor.", "¿Hacen cursos de barista los sábados?"),
    "it": ("Vorrei informazioni sulle vostre macchine a due gruppi.", "Quanto costa la manutenzione annuale?",
           "Apriamo un locale in primavera e cerchiamo un fornitore.", "Fate corsi per baristi il sabato?"),
}  # fmt: skip
