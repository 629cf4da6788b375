# Stages in $T: programs that tests run through stage, and what is common to all modes.
#
#   MODES                       the modes there are
#   program NAME <<'EOF'        writes $T/NAME, executable
#   run_stage ARGS...           stage -L text, at most 60 s; output in $output, log in $T/log, exit code in $status
bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line

MODES=$("$BIN/stage" -a '?' -- cat 2>&1 | sed -nE 's/^.*there are ([a-z, ]*).*$/\1/p' | tr -d ',')

setup() { cd "$T"; }
program() { cat > "$T/$1" && chmod +x "$T/$1"; }
run_stage() { run timeout -k 1 60 bash -c 'exec stage -L text "$@" 2> log' stage "$@"; }
