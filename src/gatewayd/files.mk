# gatewayd: the edge
#   main       options, open, loop, drain           config    options and file to one struct, every range
#   api        which request goes where             pages     the chat page, compiled in
#   edge_lws   WebSocket connections of browsers; the only includer of libwebsockets, and who waits
#   intake     POST /events                         binding   CloudEvents over HTTP, JSON modes (pure)    binary    the binary mode (pure)
#   outlet     batches to the hub, results back to whoever brought a line
#   control    the socket for penstock status and drain                 metrics   counters; rows in metrics.def
# http/: plain HTTP as a server
#   http       requests from bytes (pure)           server    listener, and the life of all HTTP connections
#   request    one connection: time-outs, head, body                    answer    its answers
#   problem    RFC 9457 bodies (pure)               host      names this server answers to (pure)
#   peers      connections of each address (pure)
# browser/: the chat
#   browser    rooms and connections                client    one connection: joining, sending
#   say        what it says, and its outcome        catchup   history to ring without a hole
#   history    questions to store                   page      its answers (pure)
#   frame      frames of the protocol (pure)        room      rings of rooms (pure)        bucket    token buckets (pure)
# upstream/: accounts at platforms, and their connections; what each of its files does is told in upstream.h, except
#   life       state x event of a connection (pure) lease      who holds which connection
#   ledger     identifies spent (pure), ledger_file on disk
#   said       what was said over connections, on disk before it goes out
#   debt       what a process owes the hub, for others to find (owe.c: what becomes of it)
# wire/: connections outward
#   edge_client by URL                              wire, wire_dial  streams of bytes, TCP and TLS
#   wsio       WebSocket, the client's side (pure), wsio_hello its handshake
#   resolve    names to addresses, in threads
# platform/: chat platforms, what their bytes mean and what to ask of them (pure); an object a file, index.o last
gatewayd_PLATFORMS := platform/null.o \
	platform/discord.o platform/discord_command.o platform/discord_conf.o platform/discord_conn.o platform/discord_event.o \
	platform/discord_fetch.o platform/discord_fill.o platform/discord_frame.o platform/discord_gap.o platform/discord_hook.o platform/discord_inflate.o \
	platform/discord_line.o platform/discord_names.o platform/discord_send.o platform/discord_session.o platform/discord_sure.o platform/discord_zlib.o platform/discord_zstd.o \
	platform/irc.o platform/irc_channel.o platform/irc_conf.o platform/irc_event.o platform/irc_history.o platform/irc_member.o platform/irc_message.o \
	platform/irc_outcome.o platform/irc_people.o platform/irc_register.o platform/irc_say.o platform/irc_support.o platform/irc_sure.o \
	platform/irc_twitch.o \
	platform/twitch.o platform/twitch_ask.o platform/twitch_attach.o platform/twitch_callback.o platform/twitch_conduit.o platform/twitch_conf.o platform/twitch_conn.o platform/twitch_consent.o platform/twitch_event.o platform/twitch_frame.o \
	platform/twitch_hook.o platform/twitch_list.o platform/twitch_loss.o platform/twitch_move.o \
	platform/twitch_reconcile.o platform/twitch_saved.o platform/twitch_shards.o platform/twitch_subs.o platform/index.o
gatewayd_HTTP := http/http.o http/host.o http/server.o http/request.o http/answer.o http/problem.o http/peers.o
gatewayd_BROWSER := browser/browser.o browser/client.o browser/say.o browser/catchup.o browser/history.o browser/page.o browser/frame.o \
	browser/room.o browser/bucket.o
gatewayd_UPSTREAM := upstream/upstream.o upstream/account.o upstream/conn.o upstream/tell.o upstream/budget.o upstream/sock.o upstream/line.o \
	upstream/state.o upstream/saved.o upstream/http.o upstream/hook.o upstream/say.o upstream/drain.o upstream/show.o upstream/faults.o upstream/said.o \
	upstream/owe.o upstream/debt.o upstream/life.o upstream/lease.o upstream/ledger.o upstream/ledger_file.o
gatewayd_WIRE := wire/edge_client.o wire/wire.o wire/wire_dial.o wire/wsio.o wire/wsio_hello.o wire/resolve.o
gatewayd_OBJS := main.o config.o api.o pages.o edge_lws.o intake.o binding.o binary.o outlet.o control.o metrics.o \
	$(gatewayd_HTTP) $(gatewayd_BROWSER) $(gatewayd_UPSTREAM) $(gatewayd_WIRE) $(gatewayd_PLATFORMS)
gatewayd_PURE := binding.o binary.o http/http.o http/host.o http/problem.o http/peers.o browser/page.o browser/frame.o browser/room.o \
	browser/bucket.o upstream/life.o upstream/ledger.o upstream/ledger_file.o wire/wsio.o wire/wsio_hello.o $(gatewayd_PLATFORMS)
gatewayd_PKGS := libwebsockets zlib libcurl $(PKG_ZSTD)

$(B)/gatewayd/pages.o: $(wildcard src/gatewayd/pages/*)
$(B)/gatewayd/platform/discord_zstd.o: CFLAGS_ALL += $(if $(PKG_ZSTD),-DHAVE_ZSTD)
$(B)/gatewayd/platform/discord_zstd.o: $(B)/zstd.have
