"""Features of many kinds, and the measures again, sample by sample from the definitions."""

import itertools

import numpy as np


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(counts, width, *, outputs=None, bias=True, noise=1.0, offset=0.0, seed=0):
    """Return features, labels, weight and bias of Gaussian classes."""
    random = rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    centers = random.normal(size=(len(counts), width)) * 2
    features = centers[labels] + noise * random.normal(size=(len(labels), width))
    outputs = outputs or len(counts)
    weight = random.normal(size=(outputs, width))
    order = random.permutation(len(labels))
    return (
        features[order] + offset,
        labels[order],
        weight,
        random.normal(size=outputs) if bias else None,
    )


def simplex(classes, width, seed=0):
    """Return (classes, width) rows of a simplex frame, each of norm 1, adding to 0."""
    basis = np.linalg.qr(rng(seed).normal(size=(width, width)))[0][:, :classes]
    frame = np.sqrt(classes / (classes - 1)) * (np.eye(classes) - 1 / classes)
    return frame @ basis.T


def collapsed(classes=4, width=6, per_class=5, size=3.0, offset=0.0):
    """Return features that coincide with a simplex, and the classifier dual to it."""
    rows = simplex(classes, width)
    labels = np.repeat(np.arange(classes), per_class)
    return size * rows[labels] + offset, labels, 0.5 * rows, np.zeros(classes)


class Literal:
    """Every definition, written out; loops over samples, classes and pairs."""

    def __init__(self, features, labels, weight=None, bias=None):
        self.h, self.y, self.w, self.b = features, labels, weight, bias
        self.n = len(labels)
        self.present = sorted(set(map(int, labels)))
        self.k = len(self.present)
        self.mu = {
            c: features[labels == c].sum(0) / (labels == c).sum() for c in self.present
        }
        self.mu_g = sum(self.mu.values()) / self.k
        self.m = {c: self.mu[c] - self.mu_g for c in self.present}
        p = features.shape[1]
        self.within = np.zeros((p, p))
        for h, y in zip(features, labels, strict=True):
            self.within += np.outer(h - self.mu[y], h - self.mu[y]) / self.n
        self.between = sum(np.outer(m, m) for m in self.m.values()) / self.k

    def pinv_between(self):
        values, vectors = np.linalg.eigh(self.between)
        kept = np.argsort(values)[::-1][: min(self.k - 1, len(values))]
        return sum(np.outer(vectors[:, j], vectors[:, j]) / values[j] for j in kept)

    def variance(self, c):
        rows = self.h[self.y == c]
        return sum(((h - self.mu[c]) ** 2).sum() for h in rows) / len(rows)

    def cdnv(self):
        terms = [
            (self.variance(i) + self.variance(j))
            / (2 * ((self.mu[i] - self.mu[j]) ** 2).sum())
            for i, j in itertools.permutations(self.present, 2)
        ]
        return sum(terms) / len(terms)

    def distance(self):
        near = [
            np.linalg.norm(h - self.mu[y]) for h, y in zip(self.h, self.y, strict=True)
        ]
        far = [np.linalg.norm(h - self.mu_g) for h in self.h]
        return sum(near) / sum(far)

    def rows(self, which):
        if which == "means":
            return {c: self.m[c] for c in self.present}
        return {c: self.w[c] for c in self.present}

    def norms(self, which):
        return np.array([np.linalg.norm(r) for r in self.rows(which).values()])

    def angles(self, which):
        rows = self.rows(which)
        return np.array([
            rows[i] @ rows[j] / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])
            for i, j in itertools.combinations(self.present, 2)
        ])

    def frame(self, gram):
        k = len(gram)
        target = (np.eye(k) - np.ones((k, k)) / k) / np.sqrt(k - 1)
        return np.sqrt(((gram / np.sqrt((gram**2).sum()) - target) ** 2).sum())

    def gram(self, first, second):
        return np.array([
            [self.rows(first)[i] @ self.rows(second)[j] for j in self.present]
            for i in self.present
        ])

    def decide(self, h, *, bias):
        scores = self.w @ h + (self.b if bias and self.b is not None else 0)
        return int(np.argmax(scores))

    def nearest(self, h):
        return min(self.present, key=lambda c: np.linalg.norm(h - self.mu[c]))

    def measures(self):
        """Return the measures of NC1 to NC4 by name."""
        pinv = self.pinv_between()
        product = pinv @ self.within
        found = {
            "nc1_pinv": np.trace(self.within @ pinv),
            "nc1_pinv_per_class": np.trace(self.within @ pinv) / self.k,
            "nc1_pinv_nuclear": np.linalg.svd(product, compute_uv=False).sum(),
            "nc1_pinv_frobenius": np.sqrt((product**2).sum()),
            "nc1_trace": np.trace(self.within),
            "nc1_ratio": np.trace(self.within) / np.trace(self.between),
            "nc1_distance": self.distance(),
            "cdnv": self.cdnv(),
            "ncc_error": np.mean([
                self.nearest(h) != y for h, y in zip(self.h, self.y, strict=True)
            ]),
        }
        for which in ("means", "weights"):
            norms, angles = self.norms(which), self.angles(which)
            found |= {
                f"nc2_equinorm_{which}": np.std(norms) / np.mean(norms),
                f"nc2_equiangle_{which}": np.std(angles),
                f"nc2_equiangle_relative_{which}": np.std(angles)
                / abs(np.mean(angles)),
                f"nc2_max_angle_{which}": np.mean(np.abs(angles + 1 / (self.k - 1))),
                f"nc2_etf_{which}": self.frame(self.gram(which, which)),
            }
        return found | self.duality() | self.decisions()

    def duality(self):
        w = np.array([self.w[c] for c in self.present])
        m = np.array([self.m[c] for c in self.present])
        centered = w - w.mean(0)

        def unit(rows):
            return np.array([row / np.linalg.norm(row) for row in rows])

        return {
            "nc3_frobenius": np.linalg.norm(
                w / np.linalg.norm(w) - m / np.linalg.norm(m)
            ),
            "nc3_per_class": np.mean([np.linalg.norm(r) for r in unit(w) - unit(m)]),
            "nc3_per_class_centered": np.mean([
                np.linalg.norm(r) for r in unit(centered) - unit(m)
            ]),
            "nc3_etf": self.frame(self.gram("weights", "means")),
        }

    def decisions(self):
        pairs = list(zip(self.h, self.y, strict=True))
        found = {}
        for name, bias in (
            ("nc4_mismatch", True),
            ("nc4_mismatch_without_bias", False),
        ):
            found[name] = np.mean([
                self.decide(h, bias=bias) != self.nearest(h) for h, _ in pairs
            ])
        return found | {
            "net_error": np.mean([self.decide(h, bias=True) != y for h, y in pairs])
        }
