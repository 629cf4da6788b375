#!/usr/bin/env bats
# A bot's tokens on Twitch: they end in the middle, are refreshed once, saved, or refused for good.

setup() { load twitch; }

@test "the token ends: refreshed once for all who need it, and saved before it is used" {
	bot_start -o twitch.first_subscription_s=5
	before=$(jq -r .refresh_token "$T/accounts/default/lab-twitch.token")
	lab twitch/expire '{"user":"penstock"}' >/dev/null
	fault 'now: close 4000 platform=twitch'
	wait_events gateway.up 2
	[ "$(lab_books token-refreshed | wc -l)" = 1 ]
	[ "$(jq -r .refresh_token "$T/accounts/default/lab-twitch.token")" != "$before" ]
	[ "$(stat -c %a "$T/accounts/default/lab-twitch.token")" = 600 ]
	# A refresh token is good for one refresh: only the one that was saved can be used for the next.
	lab twitch/expire '{"user":"penstock"}' >/dev/null
	fault 'now: close 4000 platform=twitch'
	wait_events gateway.up 3
	[ "$(lab_books token-refreshed | wc -l)" = 2 ]
	not grep -qF "$(jq -r .access_token "$T/accounts/default/lab-twitch.token")" "$T/gw.err" "$T/gw.out"
	not grep -qF "$before" "$T/gw.err" "$T/gw.out"
	# Told to stop while the platform makes the third: it is not lost.
	fault 'request path=/oauth2/token: slow 0.5'
	lab twitch/expire '{"user":"penstock"}' >/dev/null
	fault 'now: close 4000 platform=twitch'
	lab_wait token-refreshed 3
	daemon_stop gw
	access=$(jq -r .access_token "$T/accounts/default/lab-twitch.token")
	lab world | jq -e --arg t "$access" '[.. | strings] | index($t)' >/dev/null
	well_behaved
}

@test "consent is taken back: stopped, told, and up again with the token that a person writes" {
	bot_start
	lab twitch/expire '{"user":"penstock","refresh":true}' >/dev/null
	fault 'now: close 4000 platform=twitch'
	wait_for "$T/gw.err" 'a person has to authorise the bot again'
	status '.connections[0].state == "stopped" and .tokens.user.state == "refused"'
	asked=$(lab_books token-asked | wc -l)
	lab twitch/grant '{"user":"penstock","scopes":["user:read:chat","user:bot","moderator:read:followers"]}' >"$T/grant"
	jq '{access_token, refresh_token}' "$T/grant" >"$T/accounts/default/lab-twitch.token"
	daemon_signal gw HUP
	wait_events gateway.up 2
	hear "again"
	heard 1 again
	[ "$(lab_books token-asked | wc -l)" = "$asked" ]
}
