"""What do the mails say that the product itself writes to its users?"""

from app.texts.labels import labels

BY_LINK = labels(
    "Para elegir la contraseña, abra este enlace:",
    "Per scegliere la password apra questo link:",
    "To choose the password, open this link:",
)
BY_TOKEN = labels(
    "Para elegir la contraseña, dé este código a la aplicación cuando se lo pida (o a POST /v1/auth/password/reset):",
    "Per scegliere la password dia questo codice all'applicazione quando lo chiede (o a POST /v1/auth/password/reset):",
    "To choose the password, give this code to the application when it asks (or to POST /v1/auth/password/reset):",
)

# Subject and text; {how} is one of the sentences above, {link} what it is about.
FORGOTTEN = (
    labels("Su contraseña de {company}", "La sua password di {company}", "Your password at {company}"),
    labels(
        "Hola, {name}:\n\n"
        "Alguien, seguramente usted, ha pedido una contraseña nueva para el usuario {username}. {how}\n\n"
        "{link}\n\n"
        "Sirve una sola vez y durante una hora. Si no la ha pedido, no haga nada: su contraseña sigue siendo la misma.",
        "Buongiorno {name},\n\n"
        "qualcuno, probabilmente lei, ha chiesto una nuova password per l'utente {username}. {how}\n\n"
        "{link}\n\n"
        "Vale una sola volta e per un'ora. Se non l'ha chiesta, non faccia nulla: la sua password resta la stessa.",
        "Hello {name},\n\n"
        "Somebody, probably you, asked for a new password for the user {username}. {how}\n\n"
        "{link}\n\n"
        "It is good once and for an hour. If you did not ask for it, do nothing: your password stays as it is.",
    ),
)
INVITATION = (
    labels("Su acceso a {company}", "Il suo accesso a {company}", "Your access to {company}"),
    labels(
        "Hola, {name}:\n\n"
        "Ya puede trabajar con los clientes de {company}. Su nombre de usuario es {username}. {how}\n\n"
        "{link}\n\n"
        "Sirve una sola vez y durante siete días.",
        "Buongiorno {name},\n\n"
        "ora può lavorare con i clienti di {company}. Il suo nome utente è {username}. {how}\n\n"
        "{link}\n\n"
        "Vale una sola volta e per sette giorni.",
        "Hello {name},\n\n"
        "You can now work with the customers of {company}. Your username is {username}. {how}\n\n"
        "{link}\n\n"
        "It is good once and for seven days.",
    ),
)
