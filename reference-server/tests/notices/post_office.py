"""A mail server that keeps what it receives: STARTTLS or TLS, and a login.

Prints its port; then, for each letter, a line of JSON. A line on standard input says how the next letters are answered.
"""

import json
import logging
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

CERTIFICATE, KEY, SECURITY, USER, PASSWORD = sys.argv[1:6]
logging.disable(logging.CRITICAL)
answers = []


def say(line):
    print(line, flush=True)


class Keeper:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return f"550 5.1.1 <{address}> is not known here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if answers:
            answer = answers.pop(0)
            say(json.dumps({"refused": answer}))
            return answer
        text = envelope.content.decode("utf-8", "surrogateescape")
        encrypted = session.ssl is not None or SECURITY == "tls"
        say(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": text, "encrypted": encrypted,
                        "login": bool(session.authenticated)}))
        return "250 Kept"


def authenticated(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.login == USER.encode() and data.password == PASSWORD.encode()
    # Not handled: the server answers 535 by itself.
    return AuthResult(success=right, handled=False)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)


class Office(Controller):
    def factory(self):
        if SECURITY == "tls":
            return SMTP(self.handler, authenticator=authenticated, auth_required=True, auth_require_tls=False)
        return SMTP(self.handler, tls_context=context, require_starttls=True, authenticator=authenticated,
                    auth_required=True)


office = Office(Keeper(), hostname="127.0.0.1", port=0, ssl_context=context if SECURITY == "tls" else None)


def serve():
    # The controller wants to know its port before it has one.
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    ssl_context = context if SECURITY == "tls" else None
    server = loop.run_until_complete(loop.create_server(office.factory, host="127.0.0.1", port=0, ssl=ssl_context))
    say(server.sockets[0].getsockname()[1])
    loop.run_forever()


threading.Thread(target=serve, daemon=True).start()
for line in sys.stdin:
    answers.append(line.strip())
