"""The demo shop: pages, products, a cart and a checkout, answered in a few milliseconds.

Delays are drawn from a seeded generator, so two runs see the same distribution; state (carts,
orders) lives in memory and is bounded.
"""

from __future__ import annotations

import random
from collections import OrderedDict

from planrunner.demo.http_server import Request, Response, Router

__all__ = ["PRODUCTS", "shop"]

PRODUCTS = 500
_MAX_CARTS = 10_000
_PAGE = b"<!doctype html><title>Demo shop</title><h1>Demo shop</h1><p>Nothing here is for sale.</p>"
_DOCS = b"<!doctype html><title>Docs</title><h1>The demo shop's API</h1>"


class _Shop:
    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._carts: OrderedDict[str, list[int]] = OrderedDict()
        self._orders = 0

    def _delay_s(self, typical_ms: float) -> float:
        """Return a service time: log-normal, so that the tail is longer than the head."""
        return self._rng.lognormvariate(0.0, 0.35) * typical_ms / 1000

    def page(self, _request: Request) -> Response:
        return Response(_PAGE, delay_s=self._delay_s(1.0))

    def docs(self, _request: Request) -> Response:
        return Response(_DOCS, delay_s=self._delay_s(1.0))

    def health(self, _request: Request) -> Response:
        return Response({"status": "ok"})

    def products(self, request: Request) -> Response:
        limit = request.query.get("limit", "20")
        if not limit.isdigit():
            return Response({"error": "limit must be a number"}, status=400)
        first = [_product(number) for number in range(1, min(int(limit), 100) + 1)]
        return Response({"items": first, "total": PRODUCTS}, delay_s=self._delay_s(4.0))

    def product(self, request: Request) -> Response:
        number = request.params["id"]
        if not number.isdigit() or not 1 <= int(number) <= PRODUCTS:
            return Response({"error": "no such product"}, status=404)
        return Response(_product(int(number)), delay_s=self._delay_s(2.0))

    def search(self, request: Request) -> Response:
        word = request.query.get("q", "").lower()
        hits = [_product(n) for n in range(1, PRODUCTS + 1) if word and word in f"product {n}"]
        return Response({"items": hits[:10], "total": len(hits)}, delay_s=self._delay_s(6.0))

    def add_to_cart(self, request: Request) -> Response:
        order = request.json()
        product = order.get("product") if isinstance(order, dict) else None
        if not isinstance(product, int) or not 1 <= product <= PRODUCTS:
            return Response({"error": "product must be 1 to 500"}, status=400)
        cart = self._carts.setdefault(_customer(request), [])
        if len(cart) < 100:
            cart.append(product)
        while len(self._carts) > _MAX_CARTS:
            self._carts.popitem(last=False)
        return Response({"items": len(cart)}, status=201, delay_s=self._delay_s(3.0))

    def checkout(self, request: Request) -> Response:
        cart = self._carts.pop(_customer(request), [])
        self._orders += 1
        order = {"order": self._orders, "items": len(cart), "status": "paid"}
        return Response(order, status=201, delay_s=self._delay_s(8.0))


def _product(number: int) -> dict[str, object]:
    return {"id": number, "name": f"product {number}", "price": round(number * 1.37, 2)}


def _customer(request: Request) -> str:
    return request.headers.get("x-customer", "anonymous")


def shop(seed: int = 1) -> Router:
    """Return the shop's routes with fresh state."""
    state = _Shop(seed)
    router = Router()
    router.add("GET", "/", state.page)
    router.add("GET", "/docs", state.docs)
    router.add("GET", "/health", state.health)
    router.add("GET", "/products", state.products)
    router.add("GET", "/products/:id", state.product)
    router.add("GET", "/search", state.search)
    router.add("POST", "/cart", state.add_to_cart)
    router.add("POST", "/checkout", state.checkout)
    return router
