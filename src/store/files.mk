# main.o           options; the daemon, the export, the check
# ingest.o         a batch to the tenants' databases, acknowledged after commit
# row.o            what the history wants to know of a line
# tenant.o         a database for each tenant, opened and closed
# folder.o         which tenants have one
# fresh.o          events that are not in the tables of fill.o yet
# fill.o           the tables that are filled many rows at a time
# name.o           types and partition keys as numbers
# words.o          text for the full-text index, and searches
# ask.o            the query socket
# query/parse.o    a request to a struct; query/answer.o what comes back; query/index.o the kinds, one file each
# export.o         every line; is it sound
# schema.o         schema/NNN-NAME.sql as C, made by schema/compile
store_QUERY := last after id caused search stats
store_OBJS := main.o ingest.o row.o tenant.o folder.o fresh.o fill.o name.o words.o ask.o export.o schema.o \
	query/parse.o query/answer.o query/index.o $(store_QUERY:%=query/%.o)
store_PURE := row.o fresh.o words.o schema.o query/parse.o query/answer.o query/index.o $(store_QUERY:%=query/%.o)
store_PKGS := sqlite3

.DEFAULT_GOAL := all
$(B)/store/schema.c: src/store/schema/compile src/store/schema/released $(wildcard src/store/schema/*.sql)
	@mkdir -p $(@D)
	$(Q)src/store/schema/compile src/store/schema >$@
$(B)/store/schema.o: $(B)/store/schema.c
	@echo '  CC $<'
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
