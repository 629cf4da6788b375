# The probes of this room: $P is probe_link, $R probe_raw (their heads say what they do), and certificates.
bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load ../lib/unit
R=$(unit probe_raw) || exit 1

setup() { cd "$T"; }

# serve NAME URL [WORD...]: probe_link server, ready; $URL is where (with the port, where 0 was asked for).
serve() {
	local name=$1
	shift
	daemon_start "$name" "$P" server "$@"
	URL=$(sed -n 's/^ready //p' "$name.out")
}

# A certificate for localhost and 127.0.0.1, signed by its own authority: ca.pem cert.pem key.pem in $T.
certificates() {
	[ ! -e cert.pem ] || return 0
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test-authority \
		-keyout ca.key -out ca.pem 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
		-keyout key.pem -out cert.csr 2>/dev/null
	openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem \
		-extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1") 2>/dev/null
}

files_open() { daemon_fds "$1"; }
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$(daemon_pid "$1")/status"; }
