"""Says how a report of Autobahn's ended: a line per verdict, then every case that is not plainly OK. Ends with 1 if any
case failed."""

import collections
import json
import sys

report = json.load(open(sys.argv[1]))
failed = 0
for agent, cases in report.items():
    order = sorted(cases, key=lambda name: [int(part) for part in name.split(".")])
    counts = collections.Counter(cases[name]["behavior"] for name in order)
    closes = collections.Counter(cases[name]["behaviorClose"] for name in order)
    print(f"{agent}: {len(order)} cases {dict(counts)}, their closes {dict(closes)}")
    for name in order:
        verdict, close = cases[name]["behavior"], cases[name]["behaviorClose"]
        is_good = verdict in ("OK", "NON-STRICT", "INFORMATIONAL") and close in ("OK", "INFORMATIONAL")
        failed += not is_good
        if (verdict, close) != ("OK", "OK"):
            print(f"{'  ' if is_good else '! '}{name}: {verdict}, close {close}")
    failed += not order
sys.exit(1 if failed else 0)
