# gatewayd: the edge
#   main       options, open, loop, drain           config    options and file to one struct, every range
#   http       requests from bytes (pure)           server    listener, and the life of all HTTP connections
#   request    one HTTP connection: time-outs, head, body       answer    its answers
#   edge_lws   WebSocket connections; the only includer of libwebsockets, and who waits
#   api        which request goes where             pages     the chat page, compiled in
#   intake     POST /events                         binding   CloudEvents over HTTP, JSON modes (pure)
#   binary     the binary mode (pure)
#   problem    RFC 9457 bodies (pure)               outlet    batches to the hub, results back to whoever brought a line
#   browser    the chat: rooms and connections      client    one connection: joining, sending
#   say        what it says, and its outcome
#   catchup    history to ring without a hole       history   questions to store      page  its answers (pure)
#   frame      frames of the chat protocol (pure)   room      rings of rooms (pure)
#   host       names this server answers to (pure)
#   bucket     token buckets (pure)                 peers     connections of each address (pure)
#   metrics    counters; rows in metrics.def
#   upstream   accounts to connections; its files are told in upstream.h: upstream_account upstream_conn upstream_tell upstream_budget upstream_sock upstream_line upstream_state upstream_http
#              upstream_hook upstream_say upstream_drain upstream_show upstream_faults
#   life       state x event of a connection (pure) lease      who holds which connection
#   ledger     identifies spent (pure), ledger_file on disk
#   said       what was said over connections, on disk before it goes out
#   edge_client outward connections by URL          wire, wire_dial  outward streams, TCP and TLS
#   wsio       WebSocket, the client's side (pure), wsio_hello its handshake
#   resolve    names to addresses, in threads       control    the socket for penstock status and drain
#   platform/  chat platforms: what their bytes mean and what to ask of them (pure)
# The room of platforms: an object a file, index.o last.
gatewayd_PLATFORMS := platform/null.o \
	platform/discord.o platform/discord_command.o platform/discord_conf.o platform/discord_conn.o platform/discord_event.o \
	platform/discord_fetch.o platform/discord_fill.o platform/discord_frame.o platform/discord_gap.o platform/discord_hook.o platform/discord_inflate.o \
	platform/discord_line.o platform/discord_names.o platform/discord_send.o platform/discord_session.o platform/discord_sure.o platform/discord_zlib.o platform/discord_zstd.o \
	platform/irc.o platform/irc_channel.o platform/irc_conf.o platform/irc_event.o platform/irc_member.o platform/irc_message.o \
	platform/irc_outcome.o platform/irc_people.o platform/irc_register.o platform/irc_say.o platform/irc_twitch.o \
	platform/twitch.o platform/twitch_ask.o platform/twitch_callback.o platform/twitch_conduit.o platform/twitch_conf.o platform/twitch_conn.o platform/twitch_consent.o platform/twitch_event.o platform/twitch_frame.o \
	platform/twitch_hook.o platform/twitch_list.o platform/twitch_loss.o platform/twitch_move.o \
	platform/twitch_reconcile.o platform/twitch_shards.o platform/twitch_subs.o platform/index.o
gatewayd_UPSTREAM := upstream.o upstream_account.o upstream_conn.o upstream_tell.o upstream_budget.o upstream_sock.o upstream_line.o upstream_state.o upstream_http.o upstream_hook.o upstream_say.o said.o \
	upstream_drain.o upstream_show.o upstream_faults.o life.o lease.o ledger.o ledger_file.o edge_client.o wire.o wire_dial.o wsio.o wsio_hello.o resolve.o control.o
gatewayd_OBJS := main.o config.o http.o host.o server.o request.o answer.o edge_lws.o api.o pages.o intake.o binding.o binary.o problem.o outlet.o \
	browser.o client.o say.o catchup.o history.o page.o frame.o room.o bucket.o peers.o metrics.o $(gatewayd_UPSTREAM) $(gatewayd_PLATFORMS)
gatewayd_PURE := life.o ledger.o wsio.o wsio_hello.o http.o host.o binding.o binary.o problem.o page.o frame.o room.o bucket.o peers.o $(gatewayd_PLATFORMS)
gatewayd_PKGS := libwebsockets zlib libcurl $(PKG_ZSTD)

$(B)/gatewayd/pages.o: $(wildcard src/gatewayd/pages/*)
$(B)/gatewayd/platform/discord_zstd.o: CFLAGS_ALL += $(if $(PKG_ZSTD),-DHAVE_ZSTD)
$(B)/gatewayd/platform/discord_zstd.o: $(B)/zstd.have
