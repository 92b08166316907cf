-- Everybody on the contact lists: every 33rd person is there and says so to whoever asks (RFC 6121
-- section 4.3), and one of them writes as fast as the other side reads when a file `burst` with an
-- address and a number of messages lies in the folder. Made for the measurements.
local st = require "util.stanza";
local host = module.host;
local folder = module:get_option_string("crowd_folder");

local shows = { false, "away", "dnd", "xa" };
local notes = { false, "Working from home", "Back at two", false, "On the train" };

module:hook("presence/bare", function (event)
	local stanza = event.stanza;
	if stanza.attr.type ~= "probe" then return true; end
	local number = tonumber(stanza.attr.to:match("^p(%d+)@"));
	if number and number % 33 == 0 then
		local answer = st.presence({ from = stanza.attr.to .. "/desk", to = stanza.attr.from });
		local show, note = shows[number % #shows + 1], notes[number % #notes + 1];
		if show then answer:text_tag("show", show); end
		if note then answer:text_tag("status", note); end
		answer:tag("c", { xmlns = "http://jabber.org/protocol/caps", hash = "sha-1",
			node = "https://crowd.invalid", ver = "q07IKJEyjvHSyhy//CH0CxmKi8w=" }):up();
		module:send(answer);
	end
	return true;
end, 10);

-- A client may ask what it likes; nobody here has an answer.
module:hook("iq/full", function (event)
	event.origin.send(st.error_reply(event.stanza, "cancel", "service-unavailable"));
	return true;
end, 10);

local body = "Message number %d: the quick brown fox jumps over the lazy dog, see you at 10:30";

local function write(to, from, count, at)
	local last = math.min(count, at + 49);
	for n = at, last do
		module:send(st.message({ from = from, to = to, type = "chat", id = "m" .. n }, body:format(n)));
	end
	return last;
end

local function burst(to, count)
	local from, at = "p00000@" .. host .. "/desk", 0;
	module:add_timer(0.001, function ()
		at = write(to, from, count, at + 1);
		if at < count then return 0.001; end
	end);
end

module:add_timer(0.1, function ()
	local name = folder .. "/burst";
	local file = io.open(name);
	if file then
		local to, count = file:read("*a"):match("(%S+) (%d+)\n");
		file:close();
		if to then
			os.remove(name);
			burst(to, tonumber(count));
		end
	end
	return 0.1;
end);
