# English. Sentence case, no jargon, no blame. Sentences about problems come from the model.

# First run
signin-title = Sign in to Offhook
signin-below = Your work address is all it needs.
signin-below-domain = Your name at { $domain } is all it needs.
signin-address = Work address
signin-address-hint = name@company.com
signin-name-hint = name or name{ $domain }
signin-continue = Continue
progress-discovering = Looking for your company’s servers
progress-signing-in = Signing in
password-title = Enter your password
password-below = Asked by { $of }
password-username = User name
password-password = Password
password-show = Show password
password-sign-in = Sign in
other-address = Use another address
cancel = Cancel
back = Back
close = Close

# Manual setup
manual-open = Manual setup
manual-title = Manual setup
manual-below = For accounts that cannot be found by their address.
account-type = Account type
account-automatic = Automatic
account-automatic-note = Everything is found by the address. Values given by hand earlier are cleared.
account-cup = IM and Presence
account-cucm = Communications Manager
account-webex = Webex Messenger
account-standard = SIP and XMPP account
reset = Reset Offhook
reset-below = Forgets passwords, servers and everything found for your account. Your settings and chats stay.
server-cup = IM and Presence server
server-tftp = TFTP server
server-ccmcip = CCMCIP server
server-cti = CTI server
server-cas = CAS address
server-sip = SIP server
server-xmpp = XMPP server

# Failure
failure-title = Could not sign in
owner-you = What you can do
owner-other = For the { $who }
who-dns = DNS administrator
who-uc = UC administrator
who-network = network administrator
who-server = the service’s operator
try-again = Try again
copy-support = Copy for support
details = Details
details-hide = Hide details
outcome-won = Decided
outcome-lost = Answered
outcome-skipped = Not tried
outcome-failed = Failed
trace-empty = Nothing has been asked yet.
milliseconds = { $ms } ms

# Main window
section-chats = Chats
section-contacts = Contacts
section-calls = Calls
badge-unread = { $count ->
    [one] { $count } unread message
   *[other] { $count } unread messages
}
badge-requests = { $count ->
    [one] { $count } request
   *[other] { $count } requests
}
badge-missed = { $count ->
    [one] { $count } missed call
   *[other] { $count } missed calls
}
connection-good = All services work
connection-connecting = Connecting
connection-reconnecting = Reconnecting
connection-failed = A service does not work
reconnecting = Connection lost. Trying again…
me-name = My availability: { $state }
toasts = Problems
dismiss = Dismiss

# Availability
presence-menu = Availability
presence-available = Available
presence-away = Away
presence-dnd = Do not disturb
presence-offline = Offline
note-label = Note
note-hint = What should others know?
note-save = Save note
sign-out = Sign out

# Search and dialling
search-hint = Search or call
search-clear = Clear
search-call = Call { $to }
search-chat = Chat with { $with }
search-nobody = Nobody who is known here matches.
search-nobody-anywhere = Nobody matches.
search-asking = Searching the directory…
search-more = More people match; type more letters.
search-in-group = Group
search-people = { $count ->
    [one] { $count } person
   *[other] { $count } people
}
search-groups = { $count ->
    [one] { $count } group
   *[other] { $count } groups
}
search-more-groups = More groups match; type more letters.

# Groups of the directory
group-add-named = Add the group { $name } to contacts
group-take = Add to contacts
group-take-below = Everybody in it who has a chat address becomes a contact in a group of this name, 100 people at most. Whoever is no contact yet is asked whether you may see when they are available.
group-busy = Another group is being added.
group-working = The directory is asked who is in it…
group-added = { $count ->
    [0] Nobody was added.
    [one] One contact was added.
   *[other] { $count } contacts were added.
}
group-joined = { $count ->
    [one] One contact that you had is in the group now.
   *[other] { $count } contacts that you had are in the group now.
}
group-present = { $count ->
    [one] One contact was in the group already.
   *[other] { $count } contacts were in the group already.
}
group-no-address = { $count ->
    [one] One person was left out: the directory knows no chat address of them.
   *[other] { $count } people were left out: the directory knows no chat address of them.
}
group-no-people = { $count ->
    [one] One member was left out: it is no person, or may not be read. Groups inside of a group are not added.
   *[other] { $count } members were left out: they are no people, or may not be read. Groups inside of a group are not added.
}
group-left-out = { $count ->
    [one] One more is in the group and was left out: 100 are added at most.
   *[other] { $count } more are in the group and were left out: 100 are added at most.
}
group-left-out-more = { $count ->
    [one] More than one other is in the group and was left out: 100 are added at most.
   *[other] More than { $count } others are in the group and were left out: 100 are added at most.
}

# Contacts
contacts-empty = No contacts yet
contacts-empty-remedy = Add the people you talk to most.
contact-add = Add contact
contact-add-below = The person is asked whether you may see their availability.
contact-address = Address
contact-name = Name (optional)
contact-add-do = Add
contact-add-to = Add to contacts
contact-add-named = Add { $name } to contacts
contact-remove = Remove from contacts
favourites = Favourites
favourite = Add to favourites
favourite-not = Remove from favourites
contact-wrong = A person’s address has a name before the @.
request-text = wants to see when you are available
request-accept = Accept
request-refuse = Refuse

# Conversation
chats-empty = No conversations yet
chats-empty-remedy = Find a person above and write the first message.
chat = Chat
chat-typing = is writing…
chat-draft = Draft: { $text }
chat-own = You: { $text }
chat-writer = { $who }: { $text }
badge-mentions = { $count ->
    [one] named once
   *[other] named { $count } times
}
conversation-none = No conversation open
conversation-none-remedy = Choose one from the list, or press Ctrl+K to find a person.
you = You
message-spoken = { $who }, { $time }: { $text }
delivery-queued = Waiting for a connection
delivery-sent = Sent
delivery-delivered = Delivered
delivery-read = Read
delivery-failed = Not delivered
typing = { $name } is writing
composer-hint = Message { $name }
composer-send = Send
new-messages = New messages
jump-unread = Jump to new messages
jump-newest = To the newest message
jump-newest-unread = { $count ->
    [one] To the newest message, { $count } unread
   *[other] To the newest message, { $count } unread
}
messages-bar = Scroll messages
message-edited = edited
message-gone = Message deleted
message-gone-own = You deleted this message
message-gone-by = Removed by { $who }
message-unreadable = This message could not be decrypted on this computer.
message-react = React
message-reply = Reply
message-edit = Edit
message-more = More actions
message-copy = Copy text
message-delete = Delete for everyone
message-moderate = Remove for everyone
message-again = Send again
message-menu = Message actions
reply-spoken = Answers { $who }: { $text }
reply-earlier = an earlier message
reply-somebody = Somebody
reaction-spoken = { $emoji } from { $who }
typing-two = { $one } and { $other } are writing
typing-many = { $count ->
    [one] { $count } person is writing
   *[other] { $count } people are writing
}
emoji = Emoji
emoji-search = Search emoji
emoji-none = No emoji matches.
emoji-words = en
composer-replying = Reply to
composer-editing = Edit message
composer-blocked = You blocked this person. Unblock to write.
attach = Attach
files-off = Your company does not allow files.
file-send = Send a file…
file-send-do = Send file
file-path = Path of the file
file-drop = Drop to send to { $name }
file-spoken = File: { $name }
file-offered = wants to send you this file
file-waiting = Waiting for the other side
file-done = Done
file-declined = Declined
file-failed = Not transferred
file-size-unknown = File
file-way-server = by the server
file-way-direct = directly
file-way-chat = inside the chat
file-accept = Accept
file-decline = Decline
file-cancel = Cancel transfer
file-again = Transfer again
file-folder = Open folder
capture-region = Picture of a region
capture-window = Picture of a window
capture-screen = Picture of the screen
protected-server-by = Between this computer and your company’s server: encrypted with { $tls }.
protected-server-not = Between this computer and your company’s server: not encrypted.
protected-client = From client to client: encrypted. Nobody compared the keys yet.
protected-client-verified = From client to client: encrypted, with keys that were compared.
protected-client-off = From client to client: not encrypted. The servers can read what is written.
protection-title = Protection of this chat
protection-server = Client to server
protection-client = Client to client
protection-on = Encrypt from now on
protection-off = Encrypted from client to client
keys-compare = Compare these keys with the other person on another way, such as a call. Verify a key that is the same at both ends.
keys-this = The key of this computer
keys-own = Your own device
keys-device = { $who }, device { $device }
keys-gone = no longer in use
keys-verify = Verify
keys-distrust = Distrust
trust-undecided = not compared
trust-verified = verified
trust-distrusted = distrusted
search-inside = Search in this chat
search-field = Find in this chat
search-inside-none = Nothing found
search-inside-count = { $at } of { $of }
search-inside-older = Older match
search-inside-newer = Newer match
chat-menu = Chat options
chat-alerts-all = Notify about every message
chat-alerts-mentions = Notify when I am named
chat-alerts-none = Mute
block = Block
unblock = Unblock
blocked-banner = You blocked this person and hear nothing of them.
stranger-banner = This person is not on your contact list.

# Calls
calls-empty = No calls yet
calls-empty-remedy = Calls you make, take and miss are listed here.
call = Call
call-name = Call { $name }
call-impossible = The phone service is not connected.
call-incoming = Incoming call
call-outgoing = Outgoing call
call-missed = Missed call
call-open = Show the call with { $name }
call-minimise = Show the call as a bar
dial-pad = Dial pad
dial-number = Number or address
dial-hint = Number or address
key-name = Key { $key }
answer = Answer
answer-hold = Hold and answer
answer-chat = Decline and reply by chat
decline = Decline
end = End
hold = Hold
resume = Resume
mute = Mute
muted = Muted
keypad = Keypad
keypad-hint = Keys send tones to the other side
hint-key = Key: { $key }
state-dialing = Calling…
state-ringing = Ringing…
state-early = Connecting…
state-held = On hold · { $time }
state-remote-held = Held by the other side · { $time }
state-transferring = Transferring…
said-connected = Connected
said-held = On hold
said-remote-held = Held by the other side
end-own = Call ended
end-remote = The other side hung up
end-busy = Busy
end-declined = Declined
end-no-answer = No answer
end-not-found = This number does not exist
end-cancelled = Cancelled
end-failed = The call failed
end-transferred = Transferred
end-parked = Parked
end-merged = Now in the conference
end-diverted = Sent to voicemail
end-forwarded = Forwarded
end-elsewhere = Answered on another phone
call-more = More
call-preserved = The call server is gone. You can talk on and hang up; nothing else works until it is back.
diverted-by = Diverted by { $name }
transfer-short = Transfer
call-not-now = This call does not allow it at present.
phone-reduced = Reduced phone service: you can call, hold and resume.
phone-parked = Parked at { $number }: { $name }
phone-take-back-do = Take back
phone-forwarded-all = All calls go to { $number }
phone-forwarded-all-voicemail = All calls go to voicemail
notice-end = End
phone-messages-some = New voice messages
phone-voicemail-listen = Listen
line-busy = On the phone
line-ringing = Phone rings
sound-good-means = Sound arrives well.
sound-poor-means = Sound arrives with gaps: the network loses or delays it.
sound-none-means = No sound arrives from the other side.
security-none-means = Nobody on the way is kept from listening: neither the call nor its sound is encrypted.
security-signalling-means = Who calls whom is encrypted on the way to your server; the sound is not.
security-full-means = Sound and call are encrypted from here to your server or to the other side. Beyond a server this program cannot see.
transfer-to = Transfer to { $name }
transfer-title = Transfer the call with { $name }
transfer-below = They are connected with the number, and your call ends.
transfer-now = Transfer now
transfer-ask = Ask first
transfer-wrong = This is neither a number nor an address.
transfer-connect = Transfer { $name } here
merge-with = Conference with { $name }
park = Park
divert = Send to voicemail
answer-end = End and answer
conference-people = { $count ->
    [one] { $count } person in the conference
   *[other] { $count } people in the conference
}
conference-me = { $name } (you)
conference-expel = Take { $name } out of the conference
phone-control = Phone
phone-with-computer = Call with this computer
phone-with-desk = Call with { $name }
call-at-desk = At the phone on your desk
phone-computer = calls ring here
phone-ring = Calls ring
phone-silent = Calls do not ring
phone-reject = Calls are refused
phone-forwarded = calls go to { $number }
phone-forwarded-voicemail = calls go to voicemail
phone-forward-to = Forward all calls to
phone-forward = Forward
phone-forward-voicemail = Forward to voicemail
phone-forward-not = Stop forwarding
phone-take-back = Take back { $name }
phone-pickup = Pick up a call of your group
phone-redial = Call the last number again
phone-messages = { $count ->
    [one] { $count } voice message
   *[other] { $count } voice messages
}
take-over = Use it here
take-over-not = Not now
take-over-title = Use your phone here?
take-over-below = Another program or computer is using your phone. If you use it here, it stops working there.
asked-to-call = Make the call
asked-to-call-not = Do not call
asked-to-call-title = Call { $to }?
asked-to-call-below = { $by } asks your phone to make this call. You are not in a call with them. What the call costs is charged to you.
sound-good = Good
sound-fair = Fair
sound-poor = Poor
sound-none = No sound
sound-unheard = They cannot hear you
silence-reopening = The microphone is opened anew …
silence-moving = The sound moves to the other connection …
silence-renewing = The other side is told once more where the sound goes …
security-none = Not encrypted
security-signalling = Signalling encrypted, sound not
security-full = Encrypted

# Settings
settings-title = Settings
settings-look = Look and language
settings-sound = Sound
settings-voice = Your voice in calls
voice-below = What is done to your voice before it is sent. Your computer’s own microphone level is never changed.
voice-echo = Take out what your loudspeaker plays
voice-noise = Lower steady noise
voice-gain = Keep your voice at an even loudness
tones = Tones of a call
country-none = International
country-AT = Austria
country-AU = Australia
country-BR = Brazil
country-CH = Switzerland
country-CN = China
country-DE = Germany
country-ES = Spain
country-FR = France
country-GB = United Kingdom
country-IT = Italy
country-JP = Japan
country-NL = Netherlands
country-PL = Poland
country-SE = Sweden
country-US = United States
settings-calls = Calls
calls-answer = Answer calls that ask for it by themselves
calls-answer-below = Only while no other call goes on. Calls through an intercom or from your company’s phone system may ask for it.
calls-marking = Mark packets of calls for differentiated service
calls-marking-below = Routers can then send calls ahead of other traffic. Turn it off only when others cannot hear you, or when your Wi-Fi connection breaks during calls.
calls-marking-decided = Your administrator has decided whether packets of calls are marked for differentiated service.
calls-low-bandwidth = Calls with low bandwidth
calls-low-bandwidth-below = For slow networks: calls take a third of the bandwidth and sound as on a telephone. Counts for calls that begin afterwards.
settings-ways = Ways of calls
ways-below = Behind routers and firewalls the sound of a call needs help to find its way. This counts for accounts at a SIP server; a call manager needs none of it.
ways-ice = Look for ways (ICE)
ways-ice-auto = When a server is set
ways-ice-on = Always
ways-ice-off = Never
ways-stun = Server that tells our address (STUN)
ways-turn = Relay (TURN)
ways-turn-user = User at the relay
ways-password = Password at the relay
ways-password-below = Without a user and a password the relay is given those of your account. The password is kept where passwords are kept, and is not shown again.
ways-password-keep = Keep password
ways-password-forget = Forget password
ways-relay-only = Send sound by the relay only
ways-relay-only-below = Others then do not learn your address. Without a relay there are no calls.
settings-account = Account
settings-about = About
choice-of = { $group }: { $choice }
theme = Theme
theme-system = System
theme-light = Light
theme-dark = Dark
language = Language
device-input = Microphone
device-output = Speaker
device-ringer = Ringer
device-default = System default
devices-refresh = Look for devices again
test-input = Record and play back
test-output = Play a tone
test-ringer = Ring
test-speak = Say something: four seconds are recorded.
test-listen = This is how others hear you.
test-nothing = The microphone gave nothing. Switch it on at the headset or in the system, or choose another one.
test-quiet = The microphone is very quiet ({ $level } dB). Raise its level in the system, or move closer.
test-heard = The microphone works ({ $level } dB at its loudest).
test-tone = A tone is played. If you do not hear it, choose another device or raise the volume.
test-not-now = Devices can be tried when the call is over.
level-input = Microphone level
level-output = Speaker level
account-address = Address
account-number = Number
about-version = Offhook { $version }
about-licences = Free software under the MIT or Apache 2.0 licence. Type: Inter (OFL). Icons: Lucide (ISC).

# Connection status
status-title = Connection status
status-services = Services
status-trace = How the services were found
status-restrictions = Not possible from outside the company
status-settings = Settings made by your administrators
layer-default = Built in
layer-bootstrap = Installation
layer-url = Configuration address
layer-cloud = Cloud
layer-global = Company file
layer-group = Group file
layer-profile = Service profile
layer-manual = Manual setup
layer-user = Your own choice
layer-outranked = outranked
trust-title = Trust { $host }?
trust-below = If you did not expect this, do not connect and ask your administrators.
trust-wanted = Names that were expected
trust-present = Names in the certificate
trust-no-names = none
trust-subject = Issued to
trust-issuer = Issued by
trust-valid = Valid
trust-fingerprint = SHA-256 fingerprint
trust-accept = Trust from now on
trust-accept-session = Trust this time
trust-refuse = Do not connect
enrol-title = Authentication string of your phone
enrol-below = Calls of your organisation are encrypted. To get its own certificate, { $device } needs the string that your administrators gave you.
enrol-string = Authentication string
enrol-show = Show the string
enrol-do = Get the certificate
enrol-without = Go on without the phone
browser-title = Continue in your browser
browser-below = Your organisation signs people in on a web page. It should have opened in your browser. If nothing happens here afterwards, paste the address of the last page.
browser-again = Open the page again
browser-returned = Address of the page it ends on
settings-certificates = Certificates you trust
certificates-below = You told Offhook to trust these although your system does not.
certificates-revoke = No longer
certificates-revoke-named = No longer trust { $host }
service-im = Chat and presence
service-phone = Phone
service-voicemail = Voice messages
service-directory = Directory
service-edge = Outside connection
service-calendar = Meetings
service-off = Off
service-not-configured = Not set up for this account
service-connecting = Connecting
service-ready = Works
service-failed = Does not work

# Keys
keys-title = Keys
ctrl = Ctrl
shift = Shift
enter = Enter
keys-window = Window
keys-chats = Chats
keys-calls = Calls
key-search = Search or call
key-status = Connection status
key-settings = Settings
key-keys = This page
key-full-screen = Full screen
key-scale = Larger, smaller, normal size
key-close = Close what is open
key-call-found = Call whom the search found
key-menu = Menu of the person that has the focus
key-next-chat = Next conversation
key-previous-chat = Previous conversation
key-send = Send
key-newline = New line
key-find = Find in the conversation
key-edit-last = Change your last message
key-call = Call the person of the conversation
key-answer = Answer
key-decline = Decline
key-mute = Mute or unmute
key-hold = Hold or resume
key-transfer = Transfer
key-end = End the call

# Dates
today = Today
yesterday = Yesterday
weekday-0 = Monday
weekday-1 = Tuesday
weekday-2 = Wednesday
weekday-3 = Thursday
weekday-4 = Friday
weekday-5 = Saturday
weekday-6 = Sunday
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec
date = { $day } { $month }
date-year = { $day } { $month } { $year }

# Group chats
room-new = New group chat
room-new-below = People you invite see what is said from now on.
room-new-do = Create
room-name = Name
room-name-missing = Give the group chat a name.
room-topic = Topic
room-topic-none = No topic yet.
room-topic-change = Change topic
room-persistent = Keep the room when everybody has left
room-persistent-below = Otherwise it is gone when the last one leaves.
room-members-only = Only people who were invited may enter
room-invite = Invite by name or address
room-invite-not = Do not invite
room-invite-unknown = Nobody by this name is on your contact list. Write the address, name@company.com.
room-find = Find a room
room-find-hint = Name or address of a room
room-find-busy = Asking the servers for their rooms…
room-find-count = { $count ->
    [0] The servers list no rooms.
    [one] One room is listed.
   *[other] { $count } rooms are listed.
}
room-find-again = Ask again
room-none = No rooms here
room-none-remedy = Rooms may be hidden. If you know the address of one, type it above.
room-join = Enter
room-join-address = Enter { $room }
room-open = Open
room-invited = You are invited to this group chat
room-invited-by = { $who } invites you
room-people = { $count ->
    [0] Nobody is here
    [one] One person
   *[other] { $count } people
}
room-me = { $name } (you)
room-absent = Not here
room-owner = Owner
room-admin = Administrator
room-moderator = Moderator
room-member = Member
room-visitor = Listens only
room-outcast = Shut out
room-voice = Let speak
room-voice-take = Let listen only
room-kick = Put out
room-ban = Shut out
room-unban = No longer shut out
room-make-member = Make a member
room-unmake-member = No longer a member
room-make-owner = Make an owner
room-nothing-allowed = You have no rights over this person.
room-alerts = Notify me of
alerts-all = Every message
alerts-mentions = Messages that name me
alerts-none = Nothing
room-autojoin = Enter this room when I sign in
room-leave = Leave
room-destroy = Close the room for everybody
room-destroy-really = Really close it for everybody?

# People
activity-on-call = On a call
activity-in-meeting = In a meeting
activity-presenting = Presenting
person-details = Details
person-alert = Tell me when available
person-alert-not = Do not tell me when available
person-block = Block
person-unblock = Unblock
person-address = Address
person-name = Name
person-title = Title
person-organisation = Organisation
person-mail = Mail
person-number = Number
person-last-seen = Last here
person-client = Client
person-asking = Asking for more…
person-group = Group
person-group-new = Group (optional)
person-groups = Groups
person-department = Department
person-location = Location
person-sip = Address for calls
person-sources = Known from
number-work = Work
number-mobile = Mobile
number-home = Home
number-other = Other
source-own = My contacts
source-roster = Contact list
source-directory = Directory
source-address-book = Address book of this computer
source-server-book = Address book on a server
source-vcards = vCard files
source-history = Earlier chats and calls
copy-value = Copy { $value }
person-save = Save
person-photo-again = Ask again

# Settings of chats
settings-status = Status
settings-chats = Chats
settings-history = Kept messages
settings-privacy = Privacy
settled-by-admin = Your administrator decided this.
status-away-after = Show me as away when I have not touched this computer for
status-away-never = Never
status-minutes = { $count ->
    [one] One minute
   *[other] { $count } minutes
}
status-away-locked = Away while the screen is locked
status-meetings = In a meeting (according to my calendar)
status-meetings-server = Your server reads your calendar and shows when you are in a meeting.
chats-enter-sends = Enter sends the message
chats-notifications = Notify me of new messages
chats-notification-text = Show the text in notifications
chats-downloads = Folder for received files (empty: the system’s)
history-encrypted = Messages are kept on this computer, encrypted with a key in the system’s credential store.
history-plain = Messages are kept on this computer and are not encrypted.
history-off = Messages are not kept on this computer.
history-off-policy = Your administrator has decided that messages are not kept on this computer. They are here until you sign out.
history-retention = Delete messages after
history-forever = Never
history-days = { $count ->
    [one] One day
   *[other] { $count } days
}
history-archive = Save chat archives to (empty: nowhere)
privacy-read = Tell others when their message arrived and was read
privacy-typing = Tell others when I am writing
privacy-encrypt = Encrypt new chats from end to end where the other side can
privacy-encryption-off = Your administrator has switched end-to-end encryption off. The way to the server is encrypted.
privacy-encryption-optional = Your administrator has decided: chats are encrypted from end to end where the other side can.
privacy-encryption-required = Your administrator has decided: chats must be encrypted from end to end.
privacy-blocked = Blocked people
privacy-blocked-none = Nobody is blocked.

# Contacts of our own
own-new = New contact
own-edit = Edit contact
own-keep = Keep in my contacts
own-below = Kept on this computer. Nobody is told of it.
own-im = Address for chats
own-number-more = Add a number
own-mail-more = Add a mail address
own-less = Take away { $what }
own-remove = Remove from my contacts
own-remove-really = Really remove?
own-count = { $count ->
    [0] None yet.
    [one] One contact.
   *[other] { $count } contacts.
}
own-wrong-nothing = Fill in a name, a number or an address.
own-wrong-number = “{ $text }” is not a number. Numbers are made of digits, +, * and #; spaces and brackets do no harm.
own-wrong-mail = “{ $text }” is not a mail address; mail addresses look like name@company.com.
own-wrong-im = “{ $text }” is not an address for chats; they look like name@company.com.
own-wrong-uri = “{ $text }” is not an address for calls; they look like name@company.com.
cards-import = Import contacts
cards-import-below = Takes over the people of a vCard file, or of all such files in a folder, or of a table (CSV) as Outlook and Google Contacts write it.
cards-import-do = Import
cards-export = Export contacts
cards-export-below = Writes my contacts as vCards, which other programs read; as a table (CSV) where the file ends in .csv.
cards-export-do = Export
cards-path = File
cards-path-hint = The whole path of a file that ends in .vcf or .csv
cards-path-missing = Say which file.
cards-path-whole = Write the whole path, from the beginning of the disk.
cards-roster = The contact list as well
cards-reading = Reading the file…
cards-writing = Writing the file…
cards-taken = { $count ->
    [0] Nobody was taken over.
    [one] One contact was taken over.
   *[other] { $count } contacts were taken over.
}
cards-written = { $count ->
    [0] There are no contacts to write; the file is empty.
    [one] One contact was written.
   *[other] { $count } contacts were written.
}
cards-left-out = { $count ->
    [one] One entry was left out in whole or in part: it cannot be read, names nobody, or is too large.
   *[other] { $count } entries were left out in whole or in part: they cannot be read, name nobody, or are too large.
}
cards-lines = Lines of the file: { $lines }
cards-other = Another file

# Settings of people
settings-contacts = Contacts
settings-address-books = Address books
contacts-keep = Keep on this computer what directories say of people
contacts-keep-below = As your messages are kept. Who was found once is then found without the directory too. Off: it is forgotten when you sign out.
contacts-keep-days = Forget it after
contacts-cards = Folder or file of vCards (empty: none)
contacts-cards-below = It is read at each start. Nothing in it is changed.
contacts-book = Address book on a server (CardDAV)
contacts-book-user = User name there
contacts-book-wrong = This is no address of a server. Use one such as https://dav.example.com/, a domain, or your mail address there.
contacts-book-plain = The address must begin with https://, since your password does not go to a server without encryption.
contacts-book-password = Password there
contacts-book-password-below = It is kept where passwords are kept, and is not shown again. With another server or user name it is forgotten: then enter it again.
contacts-book-password-keep = Keep the password of the address book
contacts-book-password-forget = Forget the password of the address book
contacts-refresh = Read address books again
contacts-refresh-below = For people who were changed elsewhere a moment ago.
