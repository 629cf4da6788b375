# What the tests of store share. The history is in $T/h, the query socket at $T/q.
bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load ../lib/unit

setup() { cd "$T"; }

# A store that only answers questions about h.
serve() { daemon_start store store -i null:// -d h -q "ipc://$T/q" "$@"; }
# The answer to REQUEST: head line and lines.
ask() { nngcat --req --dial "ipc://$T/q" --data "$1" --raw --recv-timeout 10 --recv-maxsz 6291456; }
head_of() { ask "$1" | head -n 1; }
export_all() { store -x -d h "$@"; }
# hub FILE [N]: deals the lines of FILE out at ipc://$T/hub, N a batch; what it hears is in hub.out
hub() { daemon_start hub "$P" deal "ipc://$T/hub" "$@"; }
