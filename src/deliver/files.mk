# main           options
# life           from start to end: waiting for the outbox, working, giving it away, draining
# hold           whose the outbox is
# courier        a round: what goes next, the outbox written, what waited for that
# intake         batches from the hub, acknowledged when the outbox has them
# message        messages: made, found, given up
# fetch          from the outbox into memory           spill    whose messages are in memory (pure)
# ledger         what a restart must not forget: uses of limits, refusals
# stop           accounts that nothing is said with until their files change
# shun           where a platform refuses us: not asked for each message     spot   when to ask there (pure)
# dispatch       begun requests wait for a connection
# call           a message's request                       answer   what follows from its answer
# report         outcomes on their way to the hub
# places         accounts, and what several have in common
# outbox         the database                          outbox_kept  what it holds beside messages
# say            a line as data (pure)             text     lengths, pieces (pure)
# queue          lanes (pure)   gate   gates (pure)   breaker  when to leave an upstream alone (pure)
# rule           what follows from a result (pure) outcome  the lines that tell it (pure)
# interaction    what was answered so far (pure)
# target/        a file for each platform (pure)
deliver_TARGETS := null discord twitch webhook
deliver_OBJS := main.o life.o hold.o courier.o intake.o message.o fetch.o ledger.o stop.o shun.o call.o dispatch.o answer.o report.o places.o outbox.o outbox_kept.o say.o text.o queue.o gate.o spill.o breaker.o spot.o rule.o outcome.o \
	interaction.o target/index.o $(deliver_TARGETS:%=target/%.o)
deliver_PURE := say.o text.o queue.o gate.o spill.o breaker.o spot.o rule.o outcome.o interaction.o target/index.o $(deliver_TARGETS:%=target/%.o)
deliver_PKGS := libcurl sqlite3
deliver_LIBS := -lm
