"""Certificates for networks as people train them, whatever their architecture.

``draw`` and ``code`` replace the trained weights by others of the same architecture, for
which a theorem can be evaluated; ``holdout`` counts errors on samples that training has
not seen; ``verify`` recomputes a certificate and trusts nobody.
"""

__all__: list[str] = []
