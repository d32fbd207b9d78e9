/** Upper bounds of the histogram's buckets, in seconds: Prometheus' own defaults. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Methods that are counted by name: a client may send any word, and each would be a time series for ever. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

interface Series {
  readonly labels: string;
  readonly counts: number[];
  count: number;
  sum: number;
}

/** Requests, counted and timed, in Prometheus' text format and under the names that every skeleton uses. */
export class StarterMetrics {
  readonly #series = new Map<string, Series>();

  observe(method: string, status: number, seconds: number): void {
    const name = methods.has(method) ? method.toLowerCase() : "other";
    const labels = `method="${name}",code="${status}"`;
    let series = this.#series.get(labels);
    if (series === undefined) {
      series = { labels, counts: buckets.map(() => 0), count: 0, sum: 0 };
      this.#series.set(labels, series);
    }
    series.count++;
    series.sum += seconds;
    for (const [index, bound] of buckets.entries()) {
      if (seconds <= bound) series.counts[index] = (series.counts[index] ?? 0) + 1;
    }
  }

  /** Text exposition format 0.0.4. */
  text(): string {
    const lines = ["# HELP http_requests_total Requests answered.", "# TYPE http_requests_total counter"];
    for (const { labels, count } of this.#series.values())
      lines.push(`http_requests_total{${labels}} ${count}`);
    lines.push("# HELP http_request_duration_seconds Seconds from a request to its answer.");
    lines.push("# TYPE http_request_duration_seconds histogram");
    for (const { labels, counts, count, sum } of this.#series.values()) {
      for (const [index, bound] of buckets.entries()) {
        lines.push(`http_request_duration_seconds_bucket{${labels},le="${bound}"} ${counts[index] ?? 0}`);
      }
      lines.push(`http_request_duration_seconds_bucket{${labels},le="+Inf"} ${count}`);
      lines.push(`http_request_duration_seconds_sum{${labels}} ${sum}`);
      lines.push(`http_request_duration_seconds_count{${labels}} ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
