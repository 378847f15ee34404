using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.SparkUi;

public static class SparkUiServices
{
    /// <summary>IDriverActivity; before the platform, which tells it of local drivers.</summary>
    public static IServiceCollection AddDriverActivity(this IServiceCollection services) =>
        services.AddSingleton<UiPorts>().AddSingleton<IDriverActivity, SparkUiActivity>();
}

/// <summary>
/// Asks a Spark's UI: its REST API for jobs that run, and its page of streaming queries, which the API does not list and which
/// have no job between two triggers.
/// </summary>
internal sealed partial class SparkUiActivity(UiPorts local, GatewayOptions options, TimeProvider time) : IDriverActivity, IDisposable
{
    /// <summary>Spark's own, where each driver has an address of its own.</summary>
    private const int UsualPort = 4040;

    /// <summary>Lists of running jobs are kilobytes; whatever else answers there must not fill the memory.</summary>
    private const int MostBytes = 4 * 1024 * 1024;

    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { MaxResponseContentBufferSize = MostBytes };

    public async Task<Result<string?>> WhatRunsAsync(Session session, CancellationToken cancellation)
    {
        if (AddressOf(session) is not { } address) return Silent(session, "no Spark UI of it is known");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.SparkConnect.DriverAskSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            return await AskAsync(address, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Silent(session, $"no answer from {address} within {options.SparkConnect.DriverAskSeconds} s (spark_connect.driver_ask_seconds)");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return Silent(session, $"{address} does not answer as a Spark UI ({e.GetType().Name})");
        }
    }

    public void Dispose() => http.Dispose();

    private Uri? AddressOf(Session session)
    {
        if (session.Platform == Session.LocalPlatform) return local.Find(session.Id) is { } port ? new Uri($"http://127.0.0.1:{port}") : null;
        var host = session.Address?[..session.Address.LastIndexOf(':')];
        return host is null ? null : new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{UsualPort}"));
    }

    private async Task<Result<string?>> AskAsync(Uri address, CancellationToken cancellation)
    {
        using var applications = JsonDocument.Parse(await http.GetStringAsync(new Uri(address, "/api/v1/applications"), cancellation));
        var application = applications.RootElement[0].GetProperty("id").GetString();
        using var jobs = JsonDocument.Parse(await http.GetStringAsync(new Uri(address, $"/api/v1/applications/{application}/jobs?status=running"), cancellation));
        if (jobs.RootElement.GetArrayLength() is > 0 and var running) return $"{running} jobs run";
        using var page = await http.GetAsync(new Uri(address, "/StreamingQuery/"), cancellation);

        // Without a streaming query since its start a driver has no such page.
        if (!page.IsSuccessStatusCode) return Result<string?>.Ok(null);
        var match = ActiveQueries().Match(await page.Content.ReadAsStringAsync(cancellation));
        return match.Success && match.Groups[1].Value != "0" ? $"{match.Groups[1].Value} streaming queries are active" : Result<string?>.Ok(null);
    }

    private static GatewayError Silent(Session session, string why) => GatewayError.Unavailable(Blame.Driver, $"The driver of session {session.Name} could not be asked: {why}.");

    [GeneratedRegex("Active Streaming Queries \\(([0-9]+)\\)", RegexOptions.CultureInvariant)]
    private static partial Regex ActiveQueries();
}
