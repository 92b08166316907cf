# Deutsch. Kurze Sätze, keine Fachsprache, keine Schuldzuweisung.

# Erster Start
signin-title = Bei Offhook anmelden
signin-below = Ihre dienstliche Adresse genügt.
signin-below-domain = Ihr Name bei { $domain } genügt.
signin-address = Dienstliche Adresse
signin-address-hint = name@firma.de
signin-name-hint = Name oder name{ $domain }
signin-continue = Weiter
progress-discovering = Die Server Ihrer Firma werden gesucht
progress-signing-in = Anmeldung läuft
password-title = Kennwort eingeben
password-below = Gefragt von { $of }
password-username = Benutzername
password-password = Kennwort
password-show = Kennwort anzeigen
password-sign-in = Anmelden
other-address = Andere Adresse verwenden
cancel = Abbrechen
back = Zurück
close = Schließen

# Manuelle Einrichtung
manual-open = Manuelle Einrichtung
manual-title = Manuelle Einrichtung
manual-below = Für Konten, die sich nicht über die Adresse finden lassen.
account-type = Kontoart
account-automatic = Automatisch
account-automatic-note = Alles wird über die Adresse gefunden. Früher von Hand eingetragene Werte werden gelöscht.
account-cup = IM and Presence
account-cucm = Communications Manager
account-webex = Webex Messenger
account-standard = SIP- und XMPP-Konto
reset = Offhook zurücksetzen
reset-below = Vergisst Kennwörter, Server und alles, was zu Ihrem Konto gefunden wurde. Einstellungen und Chats bleiben.
server-cup = IM-and-Presence-Server
server-tftp = TFTP-Server
server-ccmcip = CCMCIP-Server
server-cti = CTI-Server
server-cas = CAS-Adresse
server-sip = SIP-Server
server-xmpp = XMPP-Server

# Fehlschlag
failure-title = Anmeldung nicht möglich
owner-you = Was Sie tun können
owner-other = Zuständig: { $who }
who-dns = DNS-Administration
who-uc = UC-Administration
who-network = Netzwerkadministration
who-server = Betreiber des Dienstes
try-again = Erneut versuchen
copy-support = Für den Support kopieren
details = Einzelheiten
details-hide = Einzelheiten ausblenden
outcome-won = Entschied
outcome-lost = Beantwortet
outcome-skipped = Nicht versucht
outcome-failed = Fehlgeschlagen
trace-empty = Bisher wurde nichts gefragt.
milliseconds = { $ms } ms

# Hauptfenster
section-chats = Chats
section-contacts = Kontakte
section-calls = Anrufe
badge-unread = { $count ->
    [one] { $count } ungelesene Nachricht
   *[other] { $count } ungelesene Nachrichten
}
badge-requests = { $count ->
    [one] { $count } Anfrage
   *[other] { $count } Anfragen
}
badge-missed = { $count ->
    [one] { $count } verpasster Anruf
   *[other] { $count } verpasste Anrufe
}
connection-good = Alle Dienste arbeiten
connection-connecting = Verbindung wird aufgebaut
connection-reconnecting = Verbindung wird wieder aufgebaut
connection-failed = Ein Dienst arbeitet nicht
reconnecting = Verbindung verloren. Neuer Versuch läuft …
me-name = Meine Verfügbarkeit: { $state }
toasts = Störungen
dismiss = Ausblenden

# Verfügbarkeit
presence-menu = Verfügbarkeit
presence-available = Verfügbar
presence-away = Abwesend
presence-dnd = Nicht stören
presence-offline = Offline
note-label = Notiz
note-hint = Was sollen andere wissen?
note-save = Notiz speichern
sign-out = Abmelden

# Suchen und Wählen
search-hint = Suchen oder anrufen
search-clear = Leeren
search-call = { $to } anrufen
search-chat = Chat mit { $with }
search-nobody = Niemand, der hier bekannt ist, passt dazu.
search-nobody-anywhere = Niemand passt dazu.
search-asking = Das Verzeichnis wird gefragt …
search-more = Es passen noch mehr Personen; tippen Sie weitere Buchstaben.
search-in-group = Gruppe
search-people = { $count ->
    [one] { $count } Person
   *[other] { $count } Personen
}
search-groups = { $count ->
    [one] { $count } Gruppe
   *[other] { $count } Gruppen
}
search-more-groups = Es passen noch mehr Gruppen; tippen Sie weitere Buchstaben.

# Gruppen des Verzeichnisses
group-add-named = Gruppe { $name } zu den Kontakten hinzufügen
group-take = Hinzufügen
group-take-below = Alle darin, die eine Chat-Adresse haben, werden Kontakte in einer Gruppe dieses Namens, höchstens 100 Personen. Wer noch kein Kontakt ist, wird gefragt, ob Sie sehen dürfen, wann er oder sie erreichbar ist.
group-busy = Eine andere Gruppe wird gerade hinzugefügt.
group-working = Das Verzeichnis wird gefragt, wer darin ist …
group-added = { $count ->
    [0] Niemand wurde hinzugefügt.
    [one] Ein Kontakt wurde hinzugefügt.
   *[other] { $count } Kontakte wurden hinzugefügt.
}
group-joined = { $count ->
    [one] Ein Kontakt, den Sie schon hatten, ist jetzt in der Gruppe.
   *[other] { $count } Kontakte, die Sie schon hatten, sind jetzt in der Gruppe.
}
group-present = { $count ->
    [one] Ein Kontakt war schon in der Gruppe.
   *[other] { $count } Kontakte waren schon in der Gruppe.
}
group-no-address = { $count ->
    [one] Eine Person wurde ausgelassen: Das Verzeichnis kennt keine Chat-Adresse von ihr.
   *[other] { $count } Personen wurden ausgelassen: Das Verzeichnis kennt keine Chat-Adresse von ihnen.
}
group-no-people = { $count ->
    [one] Ein Mitglied wurde ausgelassen: Es ist keine Person oder darf nicht gelesen werden. Gruppen in einer Gruppe werden nicht hinzugefügt.
   *[other] { $count } Mitglieder wurden ausgelassen: Sie sind keine Personen oder dürfen nicht gelesen werden. Gruppen in einer Gruppe werden nicht hinzugefügt.
}
group-left-out = { $count ->
    [one] Eine Person mehr ist in der Gruppe und wurde ausgelassen: Höchstens 100 werden hinzugefügt.
   *[other] { $count } weitere sind in der Gruppe und wurden ausgelassen: Höchstens 100 werden hinzugefügt.
}
group-left-out-more = { $count ->
    [one] Mehr als eine weitere Person ist in der Gruppe und wurde ausgelassen: Höchstens 100 werden hinzugefügt.
   *[other] Mehr als { $count } weitere sind in der Gruppe und wurden ausgelassen: Höchstens 100 werden hinzugefügt.
}

# Kontakte
contacts-empty = Noch keine Kontakte
contacts-empty-remedy = Fügen Sie die Menschen hinzu, mit denen Sie am meisten sprechen.
contact-add = Kontakt hinzufügen
contact-add-below = Die Person wird gefragt, ob Sie ihre Verfügbarkeit sehen dürfen.
contact-address = Adresse
contact-name = Name (freiwillig)
contact-add-do = Hinzufügen
contact-add-to = Zu den Kontakten
contact-add-named = { $name } zu den Kontakten
contact-remove = Aus den Kontakten entfernen
favourites = Favoriten
favourite = Zu den Favoriten
favourite-not = Aus den Favoriten nehmen
contact-wrong = Die Adresse einer Person hat einen Namen vor dem @.
request-text = möchte Ihre Verfügbarkeit sehen
request-accept = Zulassen
request-refuse = Ablehnen

# Unterhaltung
chats-empty = Noch keine Unterhaltungen
chats-empty-remedy = Suchen Sie oben eine Person und schreiben Sie die erste Nachricht.
chat = Chat
chat-typing = schreibt …
chat-draft = Entwurf: { $text }
chat-own = Sie: { $text }
chat-writer = { $who }: { $text }
badge-mentions = { $count ->
    [one] einmal genannt
   *[other] { $count }-mal genannt
}
conversation-none = Keine Unterhaltung geöffnet
conversation-none-remedy = Wählen Sie eine aus der Liste, oder suchen Sie mit Strg+K eine Person.
you = Sie
message-spoken = { $who }, { $time }: { $text }
delivery-queued = Wartet auf eine Verbindung
delivery-sent = Gesendet
delivery-delivered = Zugestellt
delivery-read = Gelesen
delivery-failed = Nicht zugestellt
typing = { $name } schreibt
composer-hint = Nachricht an { $name }
composer-send = Senden
new-messages = Neue Nachrichten
jump-unread = Zu den neuen Nachrichten
jump-newest = Zur neuesten Nachricht
jump-newest-unread = { $count ->
    [one] Zur neuesten Nachricht, { $count } ungelesen
   *[other] Zur neuesten Nachricht, { $count } ungelesen
}
messages-bar = Nachrichten blättern
message-edited = bearbeitet
message-gone = Nachricht gelöscht
message-gone-own = Sie haben diese Nachricht gelöscht
message-gone-by = Entfernt von { $who }
message-unreadable = Diese Nachricht konnte auf diesem Rechner nicht entschlüsselt werden.
message-react = Reagieren
message-reply = Antworten
message-edit = Bearbeiten
message-more = Weitere Aktionen
message-copy = Text kopieren
message-delete = Für alle löschen
message-moderate = Für alle entfernen
message-again = Erneut senden
message-menu = Aktionen zur Nachricht
reply-spoken = Antwort auf { $who }: { $text }
reply-earlier = eine frühere Nachricht
reply-somebody = Jemand
reaction-spoken = { $emoji } von { $who }
typing-two = { $one } und { $other } schreiben
typing-many = { $count ->
    [one] { $count } Person schreibt
   *[other] { $count } Personen schreiben
}
emoji = Emoji
emoji-search = Emoji suchen
emoji-none = Kein Emoji passt.
emoji-words = de
composer-replying = Antwort auf
composer-editing = Nachricht bearbeiten
composer-blocked = Sie haben diese Person blockiert. Zum Schreiben Blockierung aufheben.
attach = Anhängen
files-off = Ihre Firma erlaubt keine Dateien.
file-send = Datei senden…
file-send-do = Datei senden
file-path = Pfad der Datei
file-drop = Ablegen, um an { $name } zu senden
file-spoken = Datei: { $name }
file-offered = möchte sie Ihnen senden
file-waiting = Wartet auf die Gegenseite
file-done = Fertig
file-declined = Abgelehnt
file-failed = Nicht übertragen
file-size-unknown = Datei
file-way-server = über den Server
file-way-direct = direkt
file-way-chat = im Chat
file-accept = Annehmen
file-decline = Ablehnen
file-cancel = Übertragung abbrechen
file-again = Erneut übertragen
file-folder = Ordner öffnen
capture-region = Bild eines Bereichs
capture-window = Bild eines Fensters
capture-screen = Bild des Bildschirms
protected-server-by = Zwischen diesem Rechner und dem Server Ihrer Firma: verschlüsselt mit { $tls }.
protected-server-not = Zwischen diesem Rechner und dem Server Ihrer Firma: nicht verschlüsselt.
protected-client = Von Client zu Client: verschlüsselt. Die Schlüssel hat noch niemand verglichen.
protected-client-verified = Von Client zu Client: verschlüsselt, mit verglichenen Schlüsseln.
protected-client-off = Von Client zu Client: nicht verschlüsselt. Die Server können mitlesen.
protection-title = Schutz dieses Chats
protection-server = Client zu Server
protection-client = Client zu Client
protection-on = Ab jetzt verschlüsseln
protection-off = Von Client zu Client verschlüsselt
keys-compare = Vergleichen Sie diese Schlüssel mit der anderen Person auf einem anderen Weg, etwa in einem Anruf. Bestätigen Sie einen Schlüssel, der an beiden Enden gleich ist.
keys-this = Der Schlüssel dieses Rechners
keys-own = Ihr eigenes Gerät
keys-device = { $who }, Gerät { $device }
keys-gone = nicht mehr benutzt
keys-verify = Bestätigen
keys-distrust = Misstrauen
trust-undecided = nicht verglichen
trust-verified = bestätigt
trust-distrusted = nicht vertraut
search-inside = In diesem Chat suchen
search-field = Im Chat finden
search-inside-none = Nichts gefunden
search-inside-count = { $at } von { $of }
search-inside-older = Älterer Treffer
search-inside-newer = Neuerer Treffer
chat-menu = Optionen des Chats
chat-alerts-all = Bei jeder Nachricht melden
chat-alerts-mentions = Melden, wenn ich genannt werde
chat-alerts-none = Stumm
block = Blockieren
unblock = Blockierung aufheben
blocked-banner = Sie haben diese Person blockiert und hören nichts von ihr.
stranger-banner = Diese Person ist nicht in Ihrer Kontaktliste.

# Anrufe
calls-empty = Noch keine Anrufe
calls-empty-remedy = Geführte, angenommene und verpasste Anrufe stehen hier.
call = Anrufen
call-name = { $name } anrufen
call-impossible = Der Telefondienst ist nicht verbunden.
call-incoming = Eingehender Anruf
call-outgoing = Ausgehender Anruf
call-missed = Verpasster Anruf
call-open = Anruf mit { $name } zeigen
call-minimise = Anruf als Leiste zeigen
dial-pad = Wähltasten
dial-number = Nummer oder Adresse
dial-hint = Nummer oder Adresse
key-name = Taste { $key }
answer = Annehmen
answer-hold = Halten, annehmen
answer-chat = Ablehnen und per Chat antworten
decline = Ablehnen
end = Auflegen
hold = Halten
resume = Fortsetzen
mute = Stumm
muted = Ist stumm
keypad = Tasten
keypad-hint = Tasten senden Töne an die Gegenseite
hint-key = Taste: { $key }
state-dialing = Wird gewählt …
state-ringing = Es klingelt …
state-early = Verbindung wird aufgebaut …
state-held = Gehalten · { $time }
state-remote-held = Von der Gegenseite gehalten · { $time }
state-transferring = Wird verbunden …
said-connected = Verbunden
said-held = Gehalten
said-remote-held = Von der Gegenseite gehalten
end-own = Anruf beendet
end-remote = Die Gegenseite hat aufgelegt
end-busy = Besetzt
end-declined = Abgelehnt
end-no-answer = Keine Antwort
end-not-found = Diese Nummer gibt es nicht
end-cancelled = Abgebrochen
end-failed = Der Anruf ist gescheitert
end-transferred = Weitergegeben
end-parked = Geparkt
end-merged = Jetzt in der Konferenz
end-diverted = An die Mailbox gegeben
end-forwarded = Umgeleitet
end-elsewhere = An einem anderen Telefon angenommen
call-more = Mehr
call-preserved = Der Anrufserver ist weg. Sie können weitersprechen und auflegen; alles andere geht erst wieder, wenn er zurück ist.
diverted-by = Umgeleitet von { $name }
transfer-short = Weitergeben
call-not-now = Das lässt dieser Anruf gerade nicht zu.
phone-reduced = Eingeschränkter Telefondienst: anrufen, halten und zurückholen geht.
phone-parked = Geparkt auf { $number }: { $name }
phone-take-back-do = Holen
phone-forwarded-all = Alle Anrufe gehen an { $number }
phone-forwarded-all-voicemail = Alle Anrufe gehen an die Mailbox
notice-end = Beenden
phone-messages-some = Neue Sprachnachrichten
phone-voicemail-listen = Anhören
line-busy = Telefoniert
line-ringing = Telefon klingelt
sound-good-means = Der Ton kommt gut an.
sound-poor-means = Der Ton kommt mit Lücken an: Das Netz verliert oder verzögert ihn.
sound-none-means = Von der anderen Seite kommt kein Ton an.
security-none-means = Unterwegs kann mitgehört werden: Weder der Anruf noch sein Ton ist verschlüsselt.
security-signalling-means = Wer wen anruft, ist bis zu Ihrem Server verschlüsselt; der Ton ist es nicht.
security-full-means = Ton und Anruf sind von hier bis zu Ihrem Server oder zur anderen Seite verschlüsselt. Was hinter einem Server geschieht, sieht dieses Programm nicht.
transfer-to = An { $name } weitergeben
transfer-title = Das Gespräch mit { $name } weitergeben
transfer-below = Die andere Seite wird mit der Nummer verbunden, und Ihr Anruf endet.
transfer-now = Gleich weitergeben
transfer-ask = Zuerst fragen
transfer-wrong = Das ist weder eine Nummer noch eine Adresse.
transfer-connect = { $name } hierher weitergeben
merge-with = Konferenz mit { $name }
park = Parken
divert = An die Mailbox geben
answer-end = Beenden und annehmen
conference-people = { $count ->
    [one] { $count } Person in der Konferenz
   *[other] { $count } Personen in der Konferenz
}
conference-me = { $name } (Sie)
conference-expel = { $name } aus der Konferenz nehmen
phone-control = Telefon
phone-with-computer = Mit diesem Rechner telefonieren
phone-with-desk = Mit { $name } telefonieren
call-at-desk = Am Tischtelefon
phone-computer = Anrufe klingeln hier
phone-ring = Anrufe klingeln
phone-silent = Anrufe klingeln nicht
phone-reject = Anrufe werden abgewiesen
phone-forwarded = Anrufe gehen an { $number }
phone-forwarded-voicemail = Anrufe gehen an die Mailbox
phone-forward-to = Alle Anrufe umleiten an
phone-forward = Umleiten
phone-forward-voicemail = An die Mailbox umleiten
phone-forward-not = Nicht mehr umleiten
phone-take-back = { $name } zurückholen
phone-pickup = Einen Anruf der Gruppe annehmen
phone-redial = Letzte Nummer noch einmal anrufen
phone-messages = { $count ->
    [one] { $count } Sprachnachricht
   *[other] { $count } Sprachnachrichten
}
take-over = Hier verwenden
take-over-not = Nicht jetzt
take-over-title = Ihr Telefon hier verwenden?
take-over-below = Ein anderes Programm oder ein anderer Rechner verwendet Ihr Telefon. Wenn Sie es hier verwenden, geht es dort nicht mehr.
asked-to-call = Anrufen
asked-to-call-not = Nicht anrufen
asked-to-call-title = { $to } anrufen?
asked-to-call-below = { $by } bittet Ihr Telefon um diesen Anruf. Sie sprechen gerade nicht miteinander. Was der Anruf kostet, zahlen Sie.
sound-good = Gut
sound-fair = Mittel
sound-poor = Schlecht
sound-none = Kein Ton
sound-unheard = Sie sind nicht zu hören
silence-reopening = Das Mikrofon wird neu geöffnet …
silence-moving = Der Ton wechselt auf die andere Verbindung …
silence-renewing = Der anderen Seite wird noch einmal gesagt, wohin der Ton geht …
security-none = Nicht verschlüsselt
security-signalling = Signalisierung verschlüsselt, Ton nicht
security-full = Verschlüsselt

# Einstellungen
settings-title = Einstellungen
settings-look = Aussehen und Sprache
settings-sound = Ton
settings-voice = Ihre Stimme in Anrufen
voice-below = Was mit Ihrer Stimme geschieht, bevor sie gesendet wird. Der Mikrofonpegel des Rechners selbst wird nie verändert.
voice-echo = Herausnehmen, was Ihr Lautsprecher spielt
voice-noise = Gleichmäßige Geräusche leiser machen
voice-gain = Ihre Stimme gleichmäßig laut halten
tones = Töne eines Anrufs
country-none = International
country-AT = Österreich
country-AU = Australien
country-BR = Brasilien
country-CH = Schweiz
country-CN = China
country-DE = Deutschland
country-ES = Spanien
country-FR = Frankreich
country-GB = Vereinigtes Königreich
country-IT = Italien
country-JP = Japan
country-NL = Niederlande
country-PL = Polen
country-SE = Schweden
country-US = Vereinigte Staaten
settings-calls = Anrufe
calls-answer = Anrufe, die darum bitten, von selbst annehmen
calls-answer-below = Nur solange kein anderer Anruf läuft. Gegensprechanlagen und die Telefonanlage Ihrer Firma können darum bitten.
calls-marking = Pakete von Anrufen für bevorzugten Transport kennzeichnen
calls-marking-below = Router können Anrufe dann vor anderem Verkehr weiterleiten. Schalten Sie es nur ab, wenn andere Sie nicht hören oder wenn das WLAN während eines Anrufs abbricht.
calls-marking-decided = Ihre Administration hat entschieden, ob Pakete von Anrufen für bevorzugten Transport gekennzeichnet werden.
calls-low-bandwidth = Anrufe mit geringer Bandbreite
calls-low-bandwidth-below = Für langsame Netze: Anrufe brauchen ein Drittel der Bandbreite und klingen wie am Telefon. Gilt für Anrufe, die danach beginnen.
settings-ways = Wege von Anrufen
ways-below = Hinter Routern und Firewalls braucht der Ton eines Anrufs Hilfe, um seinen Weg zu finden. Das gilt für Konten an einem SIP-Server; eine Telefonanlage mit Call Manager braucht nichts davon.
ways-ice = Wege suchen (ICE)
ways-ice-auto = Wenn ein Server eingetragen ist
ways-ice-on = Immer
ways-ice-off = Nie
ways-stun = Server, der unsere Adresse nennt (STUN)
ways-turn = Vermittler (TURN)
ways-turn-user = Benutzer beim Vermittler
ways-password = Kennwort beim Vermittler
ways-password-below = Ohne Benutzer und Kennwort bekommt der Vermittler die Ihres Kontos. Das Kennwort wird dort aufbewahrt, wo Kennwörter liegen, und nicht wieder gezeigt.
ways-password-keep = Kennwort behalten
ways-password-forget = Kennwort vergessen
ways-relay-only = Ton nur über den Vermittler senden
ways-relay-only-below = Andere erfahren Ihre Adresse dann nicht. Ohne Vermittler gibt es keine Anrufe.
settings-account = Konto
settings-about = Über
choice-of = { $group }: { $choice }
theme = Farben
theme-system = System
theme-light = Hell
theme-dark = Dunkel
language = Sprache
device-input = Mikrofon
device-output = Lautsprecher
device-ringer = Klingel
device-default = Vorgabe des Systems
devices-refresh = Geräte neu suchen
test-input = Aufnehmen und abspielen
test-output = Ton abspielen
test-ringer = Klingeln
test-speak = Sagen Sie etwas: Vier Sekunden werden aufgenommen.
test-listen = So hören andere Sie.
test-nothing = Das Mikrofon gab nichts. Am Headset oder im System einschalten oder ein anderes wählen.
test-quiet = Das Mikrofon ist sehr leise ({ $level } dB). Den Pegel im System erhöhen oder näher herangehen.
test-heard = Das Mikrofon funktioniert (höchstens { $level } dB).
test-tone = Ein Ton wird gespielt. Wenn Sie ihn nicht hören, ein anderes Gerät wählen oder lauter stellen.
test-not-now = Geräte lassen sich ausprobieren, wenn das Gespräch vorbei ist.
level-input = Pegel des Mikrofons
level-output = Pegel des Lautsprechers
account-address = Adresse
account-number = Nummer
about-version = Offhook { $version }
about-licences = Freie Software unter der MIT- oder Apache-2.0-Lizenz. Schrift: Inter (OFL). Zeichen: Lucide (ISC).

# Verbindungsstatus
status-title = Verbindungsstatus
status-services = Dienste
status-trace = Wie die Dienste gefunden wurden
status-restrictions = Von außerhalb der Firma nicht möglich
status-settings = Einstellungen Ihrer Administratoren
layer-default = Eingebaut
layer-bootstrap = Installation
layer-url = Konfigurationsadresse
layer-cloud = Cloud
layer-global = Datei der Firma
layer-group = Datei der Gruppe
layer-profile = Dienstprofil
layer-manual = Manuelle Einrichtung
layer-user = Ihre eigene Wahl
layer-outranked = nachrangig
trust-title = { $host } vertrauen?
trust-below = Wenn Sie das nicht erwartet haben, verbinden Sie sich nicht und fragen Sie Ihre Administratoren.
trust-wanted = Erwartete Namen
trust-present = Namen im Zertifikat
trust-no-names = keine
trust-subject = Ausgestellt für
trust-issuer = Ausgestellt von
trust-valid = Gültig
trust-fingerprint = SHA-256-Fingerabdruck
trust-accept = Ab jetzt vertrauen
trust-accept-session = Dieses Mal vertrauen
trust-refuse = Nicht verbinden
enrol-title = Authentifizierungszeichenfolge Ihres Telefons
enrol-below = Anrufe Ihrer Organisation sind verschlüsselt. Für sein eigenes Zertifikat braucht { $device } die Zeichenfolge, die Sie von Ihrer Administration haben.
enrol-string = Authentifizierungszeichenfolge
enrol-show = Zeichenfolge anzeigen
enrol-do = Zertifikat holen
enrol-without = Ohne Telefon weiter
browser-title = Weiter im Browser
browser-below = Ihre Organisation meldet Sie auf einer Webseite an. Sie sollte sich in Ihrem Browser geöffnet haben. Geschieht danach hier nichts, fügen Sie die Adresse der letzten Seite ein.
browser-again = Seite erneut öffnen
browser-returned = Adresse der Seite, auf der es endet
settings-certificates = Zertifikate, denen Sie vertrauen
certificates-below = Sie haben entschieden, diesen zu vertrauen, obwohl Ihr System es nicht tut.
certificates-revoke = Nicht mehr
certificates-revoke-named = { $host } nicht mehr vertrauen
service-im = Chat und Verfügbarkeit
service-phone = Telefon
service-voicemail = Sprachnachrichten
service-directory = Verzeichnis
service-edge = Verbindung von außen
service-calendar = Besprechungen
service-off = Aus
service-not-configured = Für dieses Konto nicht eingerichtet
service-connecting = Wird verbunden
service-ready = Arbeitet
service-failed = Arbeitet nicht

# Tasten
keys-title = Tasten
ctrl = Strg
shift = Umschalt
enter = Eingabe
keys-window = Fenster
keys-chats = Chats
keys-calls = Anrufe
key-search = Suchen oder anrufen
key-status = Verbindungsstatus
key-settings = Einstellungen
key-keys = Diese Seite
key-full-screen = Vollbild
key-scale = Größer, kleiner, normale Größe
key-close = Offenes schließen
key-call-found = Anrufen, wen die Suche fand
key-menu = Menü der Person mit dem Fokus
key-next-chat = Nächste Unterhaltung
key-previous-chat = Vorige Unterhaltung
key-send = Senden
key-newline = Neue Zeile
key-find = In der Unterhaltung suchen
key-edit-last = Eigene letzte Nachricht ändern
key-call = Person der Unterhaltung anrufen
key-answer = Annehmen
key-decline = Ablehnen
key-mute = Stumm ein oder aus
key-hold = Halten oder fortsetzen
key-transfer = Weitergeben
key-end = Auflegen

# Datum
today = Heute
yesterday = Gestern
weekday-0 = Montag
weekday-1 = Dienstag
weekday-2 = Mittwoch
weekday-3 = Donnerstag
weekday-4 = Freitag
weekday-5 = Samstag
weekday-6 = Sonntag
month-1 = Jan.
month-2 = Feb.
month-3 = März
month-4 = Apr.
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = Aug.
month-9 = Sept.
month-10 = Okt.
month-11 = Nov.
month-12 = Dez.
date = { $day }. { $month }
date-year = { $day }. { $month } { $year }

# Gruppenchats
room-new = Neuer Gruppenchat
room-new-below = Wer eingeladen ist, sieht, was von jetzt an geschrieben wird.
room-new-do = Anlegen
room-name = Name
room-name-missing = Geben Sie dem Gruppenchat einen Namen.
room-topic = Thema
room-topic-none = Noch kein Thema.
room-topic-change = Thema ändern
room-persistent = Raum behalten, wenn alle gegangen sind
room-persistent-below = Sonst ist er weg, sobald die letzte Person geht.
room-members-only = Nur Eingeladene dürfen eintreten
room-invite = Einladen: Name oder Adresse
room-invite-not = Nicht einladen
room-invite-unknown = Unter diesem Namen steht niemand in Ihrer Kontaktliste. Schreiben Sie die Adresse: name@firma.de.
room-find = Raum suchen
room-find-hint = Name oder Adresse eines Raums
room-find-busy = Die Server werden nach ihren Räumen gefragt …
room-find-count = { $count ->
    [0] Die Server nennen keine Räume.
    [one] Ein Raum ist genannt.
   *[other] { $count } Räume sind genannt.
}
room-find-again = Noch einmal fragen
room-none = Keine Räume
room-none-remedy = Räume können verborgen sein. Wenn Sie die Adresse kennen, schreiben Sie sie oben hinein.
room-join = Eintreten
room-join-address = { $room } betreten
room-open = Öffnen
room-invited = Sie sind in diesen Gruppenchat eingeladen
room-invited-by = { $who } lädt Sie ein
room-people = { $count ->
    [0] Niemand ist hier
    [one] Eine Person
   *[other] { $count } Personen
}
room-me = { $name } (Sie)
room-absent = Nicht hier
room-owner = Besitz
room-admin = Verwaltung
room-moderator = Moderation
room-member = Mitglied
room-visitor = Hört nur zu
room-outcast = Ausgeschlossen
room-voice = Sprechen lassen
room-voice-take = Nur zuhören lassen
room-kick = Hinausschicken
room-ban = Ausschließen
room-unban = Nicht mehr ausschließen
room-make-member = Zum Mitglied machen
room-unmake-member = Kein Mitglied mehr
room-make-owner = Besitz übertragen
room-nothing-allowed = Über diese Person haben Sie keine Rechte.
room-alerts = Benachrichtigen bei
alerts-all = Jeder Nachricht
alerts-mentions = Nachrichten, die mich nennen
alerts-none = Nichts
room-autojoin = Diesen Raum beim Anmelden betreten
room-leave = Verlassen
room-destroy = Raum für alle schließen
room-destroy-really = Wirklich für alle schließen?

# Personen
activity-on-call = Telefoniert
activity-in-meeting = In einer Besprechung
activity-presenting = Präsentiert
person-details = Einzelheiten
person-alert = Melden, sobald verfügbar
person-alert-not = Nicht melden, wenn verfügbar
person-block = Blockieren
person-unblock = Nicht mehr blockieren
person-address = Adresse
person-name = Name
person-title = Funktion
person-organisation = Organisation
person-mail = E-Mail
person-number = Rufnummer
person-last-seen = Zuletzt hier
person-client = Programm
person-asking = Weiteres wird gefragt …
person-group = Gruppe
person-group-new = Gruppe (freiwillig)
person-groups = Gruppen
person-department = Abteilung
person-location = Ort
person-sip = Adresse für Anrufe
person-sources = Bekannt aus
number-work = Arbeit
number-mobile = Mobil
number-home = Privat
number-other = Andere
source-own = Eigene Kontakte
source-roster = Kontaktliste
source-directory = Verzeichnis
source-address-book = Adressbuch dieses Rechners
source-server-book = Adressbuch auf einem Server
source-vcards = vCard-Dateien
source-history = Frühere Chats und Anrufe
copy-value = { $value } kopieren
person-save = Speichern
person-photo-again = Noch einmal fragen

# Einstellungen der Chats
settings-status = Status
settings-chats = Chats
settings-history = Aufbewahrte Nachrichten
settings-privacy = Privatsphäre
settled-by-admin = Das hat Ihre Administration festgelegt.
status-away-after = Als abwesend zeigen, wenn ich diesen Rechner so lange nicht berührt habe
status-away-never = Nie
status-minutes = { $count ->
    [one] Eine Minute
   *[other] { $count } Minuten
}
status-away-locked = Abwesend, solange der Bildschirm gesperrt ist
status-meetings = In einer Besprechung (laut Kalender)
status-meetings-server = Ihr Server liest Ihren Kalender und zeigt, wenn Sie in einer Besprechung sind.
chats-enter-sends = Eingabetaste sendet die Nachricht
chats-notifications = Neue Nachrichten melden
chats-notification-text = Den Text in Meldungen zeigen
chats-downloads = Ordner für empfangene Dateien (leer: der des Systems)
history-encrypted = Nachrichten werden auf diesem Rechner aufbewahrt, verschlüsselt mit einem Schlüssel aus dem Schlüsselbund des Systems.
history-plain = Nachrichten werden auf diesem Rechner aufbewahrt und sind nicht verschlüsselt.
history-off = Nachrichten werden auf diesem Rechner nicht aufbewahrt.
history-off-policy = Ihre Administration hat festgelegt, dass Nachrichten nicht auf diesem Rechner aufbewahrt werden. Sie sind hier, bis Sie sich abmelden.
history-retention = Nachrichten löschen nach
history-forever = Nie
history-days = { $count ->
    [one] Einem Tag
   *[other] { $count } Tagen
}
history-archive = Chats auch ablegen unter (leer: nirgends)
privacy-read = Anderen mitteilen, dass ihre Nachricht da ist und gelesen wurde
privacy-typing = Anderen mitteilen, dass ich schreibe
privacy-encrypt = Neue Chats von Ende zu Ende verschlüsseln, wo die Gegenseite es kann
privacy-encryption-off = Ihre Administration hat die Verschlüsselung von Ende zu Ende abgeschaltet. Der Weg zum Server ist verschlüsselt.
privacy-encryption-optional = Ihre Administration hat festgelegt: Chats werden von Ende zu Ende verschlüsselt, wo die Gegenseite es kann.
privacy-encryption-required = Ihre Administration hat festgelegt: Chats müssen von Ende zu Ende verschlüsselt sein.
privacy-blocked = Blockierte Personen
privacy-blocked-none = Niemand ist blockiert.

# Eigene Kontakte
own-new = Neuer Kontakt
own-edit = Kontakt bearbeiten
own-keep = In eigene Kontakte übernehmen
own-below = Liegt auf diesem Rechner. Niemand erfährt davon.
own-im = Adresse für Chats
own-number-more = Weitere Rufnummer
own-mail-more = Weitere E-Mail-Adresse
own-less = { $what } wegnehmen
own-remove = Aus eigenen Kontakten löschen
own-remove-really = Wirklich löschen?
own-count = { $count ->
    [0] Noch keine.
    [one] Ein Kontakt.
   *[other] { $count } Kontakte.
}
own-wrong-nothing = Tragen Sie einen Namen, eine Rufnummer oder eine Adresse ein.
own-wrong-number = „{ $text }“ ist keine Rufnummer. Rufnummern bestehen aus Ziffern, +, * und #; Leerzeichen und Klammern schaden nicht.
own-wrong-mail = „{ $text }“ ist keine E-Mail-Adresse; die sehen aus wie name@firma.de.
own-wrong-im = „{ $text }“ ist keine Adresse für Chats; die sehen aus wie name@firma.de.
own-wrong-uri = „{ $text }“ ist keine Adresse für Anrufe; die sehen aus wie name@firma.de.
cards-import = Kontakte einlesen
cards-import-below = Übernimmt die Personen einer vCard-Datei, aller solchen Dateien eines Ordners oder einer Tabelle (CSV), wie Outlook und Google Kontakte sie schreiben.
cards-import-do = Einlesen
cards-export = Kontakte ausgeben
cards-export-below = Schreibt die eigenen Kontakte als vCards, die andere Programme lesen; als Tabelle (CSV), wenn die Datei auf .csv endet.
cards-export-do = Ausgeben
cards-path = Datei
cards-path-hint = Ganzer Pfad einer Datei auf .vcf oder .csv
cards-path-missing = Sagen Sie, welche Datei.
cards-path-whole = Schreiben Sie den ganzen Pfad, vom Anfang des Datenträgers an.
cards-roster = Auch die Kontaktliste
cards-reading = Die Datei wird gelesen …
cards-writing = Die Datei wird geschrieben …
cards-taken = { $count ->
    [0] Niemand wurde übernommen.
    [one] Ein Kontakt wurde übernommen.
   *[other] { $count } Kontakte wurden übernommen.
}
cards-written = { $count ->
    [0] Es gibt keine Kontakte auszugeben; die Datei ist leer.
    [one] Ein Kontakt wurde ausgegeben.
   *[other] { $count } Kontakte wurden ausgegeben.
}
cards-left-out = { $count ->
    [one] Ein Eintrag wurde ganz oder zum Teil ausgelassen: Er kann nicht gelesen werden, nennt niemanden oder ist zu groß.
   *[other] { $count } Einträge wurden ganz oder zum Teil ausgelassen: Sie können nicht gelesen werden, nennen niemanden oder sind zu groß.
}
cards-lines = Zeilen der Datei: { $lines }
cards-other = Andere Datei

# Einstellungen zu Personen
settings-contacts = Kontakte
settings-address-books = Adressbücher
contacts-keep = Auf diesem Rechner aufbewahren, was Verzeichnisse über Personen sagen
contacts-keep-below = So wie Ihre Nachrichten. Wer einmal gefunden wurde, wird dann auch ohne das Verzeichnis gefunden. Aus: Es wird beim Abmelden vergessen.
contacts-keep-days = Vergessen nach
contacts-cards = Ordner oder Datei mit vCards (leer: keine)
contacts-cards-below = Wird bei jedem Start gelesen. Nichts darin wird geändert.
contacts-book = Adressbuch auf einem Server (CardDAV)
contacts-book-user = Benutzername dort
contacts-book-wrong = Das ist keine Adresse eines Servers. Verwenden Sie eine wie https://dav.example.com/, eine Domäne oder Ihre E-Mail-Adresse dort.
contacts-book-plain = Die Adresse muss mit https:// beginnen, denn Ihr Kennwort geht nicht unverschlüsselt an einen Server.
contacts-book-password = Kennwort dort
contacts-book-password-below = Es wird dort aufbewahrt, wo Kennwörter liegen, und nicht wieder gezeigt. Bei einem anderen Server oder Benutzernamen wird es vergessen: Geben Sie es dann neu ein.
contacts-book-password-keep = Kennwort des Adressbuchs behalten
contacts-book-password-forget = Kennwort des Adressbuchs vergessen
contacts-refresh = Adressbücher neu lesen
contacts-refresh-below = Für Personen, die gerade anderswo geändert wurden.
