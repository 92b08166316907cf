-- Writes down who came, once everything that their coming causes was sent: the contact list was
-- answered before, and presence of everybody on it is on its way. Made for the measurements.
local name = module:get_option_string("arrivals_file");

module:hook("presence/initial", function (event)
	local user = event.origin.username;
	-- What the server does for this presence it does in one go; the timer comes after it.
	module:add_timer(0, function ()
		local file = assert(io.open(name, "a"));
		file:write(user, "\n");
		file:close();
	end);
end);
