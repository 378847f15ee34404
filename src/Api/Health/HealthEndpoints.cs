using System.Text.Json;
using SparkGateway.Infrastructure.Hosting;

namespace SparkGateway.Api.Health;

internal static class HealthEndpoints
{
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
            await context.Response.WriteAsJsonAsync(report, Json, context.RequestAborted);
        });
    }
}
