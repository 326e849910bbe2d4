"""An authority of the tests' own, and a certificate of it for this machine."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("localhost", "provider.test")
ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Certificates:
    """Files in PEM."""

    ca_file: Path
    chain_file: Path

    def server_context(self) -> ssl.SSLContext:
        """What a server of this machine shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain_file)
        return context

    def client_context(self) -> ssl.SSLContext:
        """What believes the authority."""
        return ssl.create_default_context(cafile=str(self.ca_file))


@lru_cache(maxsize=1)
def certificates() -> Certificates:
    """The authority's and the server's, made once for a process of tests."""
    folder = Path(mkdtemp(prefix="clinic-chat-ca-"))
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Authority of the tests")
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, x509.BasicConstraints(True, None))
    names = [*map(x509.DNSName, HOSTS), x509.IPAddress(ipaddress.ip_address(ADDRESS))]
    own = _certificate(
        _name("Provider of the tests"), ca_name, key, ca_key, x509.SubjectAlternativeName(names)
    )
    pem = serialization.Encoding.PEM
    found = Certificates(folder / "ca.pem", folder / "chain.pem")
    found.ca_file.write_bytes(ca.public_bytes(pem))
    found.chain_file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + own.public_bytes(pem)
    )
    return found


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    ca_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    moment = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Tests travel in time.
        .not_valid_before(moment - timedelta(days=3650))
        .not_valid_after(moment + timedelta(days=3650))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(ca_key, hashes.SHA256())
    )
