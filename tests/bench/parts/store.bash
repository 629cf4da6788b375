# lines into store, alone and behind route, beside the same rows in bare SQLite
row "end to end into store, lines/s" penstock "bare SQLite" ratio
say "store"
sed 's/"tenant": *"t[0-9]*"/"tenant":"one"/' corpus > corpus.one
mkdir bare.one bare.many
read -r _ _ bare _ < <("$tools/sqlite_insert" bare.one 256 < corpus.one)
begin=$(now)
"$BIN/store" -d alone.one < corpus.one 2>store.log
alone=$(rate "$lines" "$begin")
row "store alone, from a pipe, one tenant" "$alone" "$bare" "$(ratio "$alone" "$bare")"
read -r _ _ bare _ < <("$tools/sqlite_insert" bare.many 256 many < corpus)
begin=$(now)
"$BIN/store" -d alone < corpus 2>store.log
alone=$(rate "$lines" "$begin")
row "store alone, from a pipe, 64 tenants" "$alone" "$bare" "$(ratio "$alone" "$bare")"
rm -rf history
hub 'all -> store' -s always -M metrics
start store "$BIN/store" -i ipc://run/to-store -d history
begin=$(now)
"$tools/put" ipc://run/in 4 256 < corpus >/dev/null
"$tools/drained" metrics store "$lines"
whole=$(rate "$lines" "$begin")
row "put, route -s always, store, 64 tenants" "$whole" "$bare" "$(ratio "$whole" "$bare")"
echo "bare SQLite: the same rows into the same schema, one transaction for 256 lines in each database they touch. Peak RSS: route $(peak "$pid_route"), store $(peak "$pid_store")"
stop store; stop route
rm -rf bare.one bare.many alone alone.one history corpus.one
