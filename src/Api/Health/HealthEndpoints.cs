using System.Text.Json;
using SparkGateway.Infrastructure.Hosting;

namespace SparkGateway.Api.Health;

internal static class HealthEndpoints
{
    private const string JsonType = "application/json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static IServiceCollection AddReadiness(this IServiceCollection services) =>
        services.AddSingleton<Readiness>().AddSingleton<IReadinessCheck, ProcessReadiness>();

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", context => context.Response.WriteAsync("ok\n", context.RequestAborted));
        routes.MapGet("/readyz", async context =>
        {
            var readiness = context.RequestServices.GetRequiredService<Readiness>();
            var report = await readiness.ReportAsync(context.RequestAborted);
            context.Response.StatusCode = report.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            if (WantsJson(context.Request)) await context.Response.WriteAsJsonAsync(report, Json, context.RequestAborted);
            else await context.Response.WriteAsync(report.Text, context.RequestAborted);
        });
    }

    /// <summary>By its Accept header, or ?format=json for those who cannot send one.</summary>
    private static bool WantsJson(HttpRequest request) =>
        request.Query["format"] == "json" || request.GetTypedHeaders().Accept.Any(type => type.MediaType.Equals(JsonType, StringComparison.OrdinalIgnoreCase));
}
