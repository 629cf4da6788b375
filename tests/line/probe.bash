# The pure parts of the line library from a shell: $probe (its head says what it does).
load ../lib/daemon
load ../lib/line
load ../lib/unit

setup() { probe=$(unit probe); }
