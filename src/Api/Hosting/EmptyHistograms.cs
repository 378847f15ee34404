using System.Globalization;
using System.Text;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Api.Hosting;

/// <summary>
/// Adds to /metrics what its exporter cannot show: histograms without an observation. Queries and alerts then have a zero
/// to work with from the first scrape on.
/// </summary>
internal static class EmptyHistograms
{
    private const string OpenMetrics = "application/openmetrics-text";
    private const string OpenMetricsEnd = "# EOF\n";

    public static async Task AddAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path != GatewayHost.MetricsPath)
        {
            await next(context);
            return;
        }

        // The exporter would compress the page, and nothing can be added to that.
        context.Request.Headers.AcceptEncoding = default;
        var response = context.Response;
        var (client, page) = (response.Body, new MemoryStream());
        response.Body = page;
        try
        {
            await next(context);
        }
        finally
        {
            response.Body = client;
        }

        var text = Encoding.UTF8.GetString(page.GetBuffer(), 0, (int)page.Length);
        if (response.StatusCode == StatusCodes.Status200OK) text = Complete(text, response.ContentType?.StartsWith(OpenMetrics, StringComparison.Ordinal) ?? false);
        response.ContentLength = null;
        await response.WriteAsync(text, context.RequestAborted);
    }

    internal static string Complete(string page, bool isOpenMetrics)
    {
        var missing = TelemetryServices.EmptyHistograms.Where(histogram => !page.Contains($"# TYPE {histogram.Name} ", StringComparison.Ordinal));
        var added = string.Concat(missing.Select(histogram => Text(histogram, isOpenMetrics)));
        return isOpenMetrics && page.EndsWith(OpenMetricsEnd, StringComparison.Ordinal) ? page[..^OpenMetricsEnd.Length] + added + OpenMetricsEnd : page + added;
    }

    private static string Text(EmptyHistogram histogram, bool isOpenMetrics)
    {
        var labels = $"otel_scope_name=\"{TelemetryServices.SourceName}\"" + (histogram.Labels.Length > 0 ? $",{histogram.Labels}" : "");
        var text = new StringBuilder($"# TYPE {histogram.Name} histogram\n# HELP {histogram.Name} {histogram.Help}\n");
        foreach (var bound in histogram.Bounds)
        {
            var number = bound.ToString("R", CultureInfo.InvariantCulture);
            if (isOpenMetrics && number.All(char.IsAsciiDigit)) number += ".0";
            text.Append(CultureInfo.InvariantCulture, $"{histogram.Name}_bucket{{{labels},le=\"{number}\"}} 0\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"{histogram.Name}_bucket{{{labels},le=\"+Inf\"}} 0\n{histogram.Name}_sum{{{labels}}} 0\n{histogram.Name}_count{{{labels}}} 0\n").ToString();
    }
}
