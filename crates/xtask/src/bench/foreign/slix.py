"""A client on slixmpp that reads everything and keeps nothing; prints one JSON line once it is signed in.

usage: slix.py ADDRESS PASSWORD PORT AUTHORITY.pem
"""
import json
import sys

import slixmpp

address, password, port, authority = sys.argv[1:]


class Client(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__(address, password)
        self.ca_certs = authority
        self.received = 0
        self.add_event_handler("session_start", self.begin)
        self.add_event_handler("message", self.take)

    async def begin(self, _):
        await self.get_roster(timeout=60)
        self.send_presence()
        # Its list holds an entry for the account itself as well.
        contacts = [who for who in self.client_roster if who != self.boundjid.bare]
        print(json.dumps({"contacts": len(contacts)}), flush=True)

    def take(self, message):
        self.received += len(message["body"]) > 0


client = Client()
client.connect(("127.0.0.1", int(port)))
client.loop.run_forever()
