"""What other load tools write: each with a success, failures, and what is no request."""

from __future__ import annotations

import json

__all__ = [
    "AB",
    "AB_SAYS",
    "ARTILLERY",
    "HEY",
    "JTL",
    "JTL_XML",
    "K6",
    "K6_CHECKED_NS",
    "K6_HEAD",
    "LOCUST",
    "TRANSACTION",
    "WRK_SAYS",
]

LOCUST = "".join(
    json.dumps(line) + "\n"
    for line in (
        ["users", 3],
        [1796077096.5, 12.5, "GET", "/a", 200, 2, ""],
        [1796077096.6, 7, "POST", "/b", 500, 0, "HTTPError: 500 Server Error"],
        [1796077096.7, 1, "GET", "/a", 200, 2, "CatchResponseError: wrong"],
        [None, None, "GET", "/c", 0, 0, "ConnectionError: Connection refused"],
        ["code", 0],
    )
)
HEY = """\
response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset
0.0032,0.0021,0.0000,0.0001,0.0006,0.0001,200,0.0006
0.0456,0.0000,0.0000,0.0000,0.0012,0.0444,404,0.0039
"""
AB = "starttime\tseconds\tctime\tdtime\tttime\twait\n" + "".join(
    f"Mon Nov 30 21:46:56 2026\t1796075216\t0\t{ms}\t{ms}\t0\n" for ms in (1, 1, 1, 2, 9)
)
REFUSED = "Non HTTP response code: java.net.ConnectException,Non HTTP response message: refused"
TRANSACTION = "Number of samples in transaction : 2, number of failing samples : 1"
JTL = f"""\
timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,failureMessage,bytes,sentBytes,\
grpThreads,allThreads,Latency,Connect
1796075216000,120,List,200,OK,Visitors 1-1,true,,512,100,2,2,80,20
1796075216100,30,Buy,200,OK,Visitors 1-2,false,"Test failed: text
expected",10,90,2,2,30,0
1796075216200,5,Gone,404,Not Found,Visitors 1-1,false,,10,90,2,2,5,0
1796075216300,1,Down,{REFUSED},Visitors 1-1,false,,0,0,2,2,0,0
1796075216400,150,All,,"{TRANSACTION}",Visitors 1-1,false,,0,0,2,2,0,0
"""
JTL_XML = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<testResults version="1.2">
<httpSample t="120" ct="20" ts="1796075216000" s="true" lb="List" rc="200" rm="OK" \
tn="Visitors 1-1" by="512" sby="100" ng="2" na="2">
  <httpSample t="60" ts="1796075216000" s="true" lb="List-0" rc="302" tn="Visitors 1-1"/>
  <java.net.URL>http://h/list</java.net.URL>
</httpSample>
<sample t="150" ts="1796075216100" s="false" lb="All" rc="" rm="{TRANSACTION}" tn="Visitors 1-2">
  <httpSample t="30" ts="1796075216100" s="false" lb="Buy" rc="200" tn="Visitors 1-2" na="2">
    <assertionResult><name>status</name><failure>false</failure></assertionResult>
    <assertionResult><name>text</name><failure>true</failure><error>false</error>\
<failureMessage>Test failed: text&#10;expected</failureMessage></assertionResult>
  </httpSample>
  <httpSample t="5" ts="1796075216200" s="false" lb="Gone" rc="404" tn="Visitors 1-2"/>
</sample>
<httpSample t="1" ts="1796075216300" s="false" lb="Down" tn="Visitors 1-1" \
rc="Non HTTP response code: java.net.ConnectException" rm="Non HTTP response message: refused"/>
</testResults>
"""
ARTILLERY = "".join(
    json.dumps(line) + "\n"
    for line in (
        [1796077324413, 45, "GET", "http://h/a", "first", 200, 2, ""],
        [1796077324443, 14.5, "GET", "http://h/b?x=1", "", 404, 2, ""],
        ["check", 1796077324444, "statusCode", False],
        [1796077324706, None, "GET", "http://other/c", "", 0, 0, "ECONNREFUSED"],
    )
)

AB_SAYS = """\
Time taken for tests:   0.512 seconds
Complete requests:      5
Failed requests:        1
   (Connect: 1, Receive: 0, Length: 0, Exceptions: 0)
Non-2xx responses:      2
"""
WRK_SAYS = """\
planrunner summary 5 1000000 1 2 0 2 1
planrunner latency 100 3
planrunner latency 900 1
"""

K6_CHECKED_NS = 1_796_075_215_415_313_000
K6_HEAD = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,"
    "name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata\n"
)


def _point(metric: str, value: float, *, name: str = "http://h/a", more: str = "") -> str:
    """Return a line as k6 1.1 writes it."""
    error, code, expected, status, tags = (more or ",,true,200,").split(",")
    return (
        f"{metric},1796075215415083,{value:f},,{error},{code},{expected},,GET,{name},HTTP/1.1,"
        f"a,,{status},,,{name},{tags},\n"
    )


def _request(took: float, blocked: float, *, name: str = "http://h/a", more: str = "") -> str:
    """Return the lines of one request."""
    values = {
        "http_reqs": 1,
        "http_req_duration": took,
        "http_req_blocked": blocked,
        "http_req_connecting": 0,
        "http_req_tls_handshaking": 0,
        "http_req_sending": 0.1,
        "http_req_waiting": 1,
        "http_req_receiving": 0.1,
        "http_req_failed": 0,
    }
    return "".join(_point(key, value, name=name, more=more) for key, value in values.items())


K6 = K6_HEAD + "".join(
    [
        _request(4.25, 3.0, more=",,true,200,kind=read&size=big"),
        _request(5, 0, name='"a ""quoted"" name\nof two lines"'),
        _request(2, 0, name="http://h/b?x=1", more=",1404,false,404,"),
        _request(0, 0, name="http://other/b", more="dial: refused,1212,false,0,"),
        "checks,1796075215415313,0.000000,is fine,,,,,,,,a,,,,,,,\n",
        "checks,1796075215415313,1.000000,is fine,,,,,,,,a,,,,,,,\n",
        "vus,1796075215415313,7.000000,,,,,,,,,,,,,,,,\n",
    ]
)
