"""TLS with an authority of the lab's own, made anew at each start by the openssl command."""
import os
import ssl
import subprocess


def make(folder):
    """Writes ca.pem, server.pem and server.key to the folder. The server's context."""
    def openssl(*words, text=None):
        subprocess.run(["openssl", *words], cwd=folder, check=True, input=text, text=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    old = os.umask(0o077)
    try:
        openssl("req", "-x509", *curve, "-days", "3650", "-subj", "/CN=penstock lab CA", "-keyout", "ca.key", "-out", "ca.pem",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", *curve, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
        with open(os.path.join(folder, "server.ext"), "w") as f:
            f.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650",
                "-extfile", "server.ext", "-out", "server.pem")
    except (OSError, subprocess.CalledProcessError) as e:
        raise ValueError(f"no certificate: {e} (Debian's package openssl has the command)") from e
    finally:
        os.umask(old)
    for name in ("server.csr", "server.ext", "ca.key", "ca.srl"):
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))
    os.chmod(os.path.join(folder, "ca.pem"), 0o644)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
    return context
