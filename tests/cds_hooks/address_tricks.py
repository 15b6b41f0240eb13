"""Every form in which an address can look like a registered base and lead somewhere else.

`{there}` is `host:port` of somebody else's server on loopback, `{port}` its port; `{here}` is `host:port` of the
registered base `http://{here}/fhir`.
"""

from __future__ import annotations

BESIDE_THE_BASE = (
    "http://{here}/fhirevil/Binary/b1",
    "http://{here}/fhir/../admin",
    "http://{here}/fhir/%2e%2e/admin",
    "http://{here}/fhir%2f..%2fadmin",
    "http://{here}/fhir/..%2fadmin",
    "http://{here}/fhir/%2e%2e%2fadmin",
    "http://{here}/fhir/./../admin",
    "http://{here}//fhir/Binary/b1",
    "http://{here}/fhir/Binary%00/b1",
    "http://{here}/FHIR/Binary/b1",
    "http://{here}/admin",
    "http://{here}",
    "https://{here}/fhir/Binary/b1",
    "ftp://{here}/fhir/Binary/b1",
    "http://{here}/fhir/Binary/b1#x",
    "http://{here}/fhir/Binary/b1\r\nx-more: 1",
    "http://{here}/fhir/Binary/b 1",
    "/admin",
    "/fhirevil/Binary/b1",
    "../admin",
    "Binary/../../admin",
    "Binary/%2e%2e/%2e%2e/admin",
    "Binary\\..\\..\\admin",
    "",
)
"""At the registered server, outside its base or in a form that two readers may read differently."""

ELSEWHERE = (
    "http://{there}/fhir/Binary/b1",
    "//{there}/fhir/Binary/b1",
    "\\\\{there}/fhir/Binary/b1",
    "/\\{there}/fhir/Binary/b1",
    "http:/{there}/fhir/Binary/b1",
    "http:///{there}/fhir/Binary/b1",
    "HTTP://{there}/fhir/Binary/b1",
    "http://{here}@{there}/fhir/Binary/b1",
    "http://user:word@{there}/fhir/Binary/b1",
    "http://{there}\\@{here}/fhir/Binary/b1",
    "http://{here}\\@{there}/fhir/Binary/b1",
    "http://{there}#@{here}/fhir/Binary/b1",
    "http://{there}?@{here}/fhir/Binary/b1",
    "http://{there}/http://{here}/fhir/Binary/b1",
    "http://127.1:{port}/fhir/Binary/b1",
    "http://2130706433:{port}/fhir/Binary/b1",
    "http://0x7f000001:{port}/fhir/Binary/b1",
    "http://017700000001:{port}/fhir/Binary/b1",
    "http://0:{port}/fhir/Binary/b1",
    "http://0.0.0.0:{port}/fhir/Binary/b1",
    "http://localhost:{port}/fhir/Binary/b1",
    "http://localhost.:{port}/fhir/Binary/b1",
    "http://127。0。0。1:{port}/fhir/Binary/b1",
    "http://１２７.0.0.1:{port}/fhir/Binary/b1",
    "http://[::ffff:127.0.0.1]:{port}/fhir/Binary/b1",
    "http://[::ffff:7f00:1]:{port}/fhir/Binary/b1",
    "http://[64:ff9b::7f00:1]:{port}/fhir/Binary/b1",
    "http://[::1%25lo]:{port}/fhir/Binary/b1",
    "http://127.0.0.1.nip.io:{port}/fhir/Binary/b1",
    " http://{there}/fhir/Binary/b1",
    "\thttp://{there}/fhir/Binary/b1",
    "ht\ntp://{there}/fhir/Binary/b1",
    "file:///etc/passwd",
    "gopher://{there}/_x",
    "dict://{there}/x",
    "unix:///var/run/docker.sock",
    "jar:http://{there}!/x",
    "data:application/json,{{}}",
    "javascript:x",
)
"""At another server, or at none that HTTP reaches."""

EVERY_FORM = BESIDE_THE_BASE + ELSEWHERE
