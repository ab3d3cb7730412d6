"""Properties of JMeter that change nothing in what is sent, or stand at JMeter's default."""

from __future__ import annotations

from typing import Final

__all__ = ["is_inert"]

_NAMES: Final = frozenset(
    {
        # of every element, and of JMeter's windows
        *("TestElement.gui_class", "TestElement.test_class", "TestElement.name"),
        *("TestElement.enabled", "TestPlan.comments", "displayName", "guiclass", "testclass"),
        *("TestPlan.functional_mode", "TestPlan.user_define_classpath"),
        *("TestPlan.tearDown_on_shutdown", "WorkBench.save"),
        # dates that JMeter itself ignores
        *("ThreadGroup.start_time", "ThreadGroup.end_time", "ThreadGroup.delayedStart"),
        # how JMeter sends what is sent
        *("HTTPSampler.implementation", "HTTPSampler.monitor", "HTTPSampler.concurrentPool"),
        *("HTTPSampler.concurrentDwn", "HTTPSampler.BROWSER_COMPATIBLE_MULTIPART"),
        *("CookieManager.implementation", "CookieManager.policy"),
        *("CookieManager.controlledByThreadGroup", "AuthManager.controlledByThreadGroup"),
        *("XPathExtractor.tolerant", "XPathExtractor.namespace", "XPathExtractor.validate"),
        *("XPathExtractor.show_warnings", "XPathExtractor.report_errors", "INPUT_FORMAT"),
        *(
            "XPathExtractor.whitespace",
            "XPathExtractor.download_dtds",
            "XPathExtractor2.namespaces",
        ),
        *("resetInterpreter", "cacheKey", "Argument.metadata", "HTTPArgument.use_equals"),
        *("Argument.desc", "Argument.description", "HTTPArgument.content_type"),
        *("JSONPostProcessor.compute_concat", "compute_concat"),
    }
)
_DEFAULTS: Final = {
    "HTTPSampler.auto_redirects": "false",
    "HTTPSampler.follow_redirects": "true",
    "HTTPSampler.use_keepalive": "true",
    "HTTPSampler.DO_MULTIPART_POST": "false",
    "HTTPSampler.image_parser": "false",
    "HTTPSampler.md5": "false",
    "HTTPSampler.postBodyRaw": "false",
    "HTTPSampler.ipSourceType": "0",
    "HTTPArgument.always_encode": "true",
    "LoopController.continue_forever": "false",
    "ThreadGroup.same_user_on_next_iteration": "true",
    "ThreadGroup.scheduler": "false",
    "TestPlan.serialize_threadgroups": "false",
    "clearEachIteration": "false",
    "Scope.variable": "",
    "Sample.scope": "parent",
    "AuthManager.clearEachIteration": "false",
    "CookieManager.clearEachIteration": "false",
    "Assertion.assume_success": "false",
    "ISREGEX": "true",
    "SUBJECT": "body",
    "IfController.evaluateAll": "false",
    "TransactionController.parent": "false",
    "TransactionController.includeTimers": "false",
}


def is_inert(name: str, text: str) -> bool:
    """Say whether a property with this text leaves the load as it would be without it."""
    text = text.strip()
    return (
        not text
        or name in _NAMES
        or name.startswith("GraphQLHTTPSampler.")
        or text.lower() == _DEFAULTS.get(name)
    )
