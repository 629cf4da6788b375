# A log directory for tests of logd. D is the directory.
#
#   feed TEXT             printf TEXT into logd ARGS... D     rotated: names of the rotated files
bats_require_minimum_version 1.5.0
D=$T/log
rotated() { (cd "$D" && ls -d @* 2>/dev/null) || true; }
rotated_are() { [ "$(rotated | wc -l)" -ge "$1" ]; }
all_lines() { (cd "$D" && cat $(ls -d @* 2>/dev/null) current); }
