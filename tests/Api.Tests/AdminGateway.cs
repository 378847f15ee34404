using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using SparkGateway.Infrastructure.Security;
using SparkGateway.Testing;

namespace SparkGateway.Api.Tests;

/// <summary>One gateway for the tests of the admin API: attached sessions that are never called, and drivers that start for ever.</summary>
public sealed class AdminGateway : IAsyncLifetime
{
    public const string Sessions = "/api/v1/sessions";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo driverFolder = Directory.CreateTempSubdirectory("spark-gateway-driver-");
    private Gateway gateway = null!;

    /// <summary>With the gateway's token.</summary>
    public HttpClient Http { get; private set; } = null!;

    public int HealthPort { get; } = Ports.Free();

    public int SparkPort { get; private set; }

    public Uri Url => Http.BaseAddress!;

    public string StateDir => Path.Combine(gateway.Folder, ".state");

    public string TokenFile => Path.Combine(StateDir, "admin.tokens");

    public string Token { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var driver = Path.Combine(driverFolder.FullName, "driver");
        await File.WriteAllTextAsync(driver, "#!/bin/sh\necho one\necho two password=hunter2\necho three\nexec sleep 600\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(driver, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var attached = string.Join(", ", Enumerable.Range(1, 5).Select(number => $"{{name: app-{number}, namespace: byod, address: \"127.0.0.1:{number}\"}}"));
        (gateway, SparkPort, Http) = await Gateway.ServeAsync(
            "--set", "spark_connect.on_demand.enabled=true", "--set", "local.engine=sail", "--set", $"local.sail={driver}",
            "--set", $"spark_connect.attached=[{attached}]", "--set", $"health.port={HealthPort}", "--set", "admin.max_page_items=3", "--set", "admin.max_request_bytes=2048");
        Token = AdminTokens.FirstOf(TokenFile).Value;
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (gateway is not null)
        {
            await gateway.SignalAsync("TERM");
            gateway.Dispose();
        }

        Http?.Dispose();
        driverFolder.Delete(recursive: true);
    }

    /// <summary>The arguments by which a verb finds this gateway.</summary>
    public string[] Arguments(params string[] verb) => [.. verb, "--url", Url.ToString(), "--token-file", TokenFile, "--as", "jane"];

    public async Task<(int Status, string? MediaType, JsonElement Body)> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        using var response = await Http.SendAsync(request);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, document.RootElement.Clone());
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        var (status, _, body) = await SendAsync(HttpMethod.Get, path);
        Assert.Equal(200, status);
        return body;
    }

    public async Task<JsonElement> OpenAsync()
    {
        var (status, _, body) = await SendAsync(HttpMethod.Post, Sessions, "{}");
        Assert.Equal(201, status);
        return body;
    }

    /// <summary>The fields of a problem's errors, in order.</summary>
    public static string[] Fields(JsonElement problem) => [.. problem.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("field").GetString()!)];

    public static void AssertUtc(JsonElement time) =>
        Assert.True(DateTimeOffset.TryParseExact(time.GetString(), "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _), time.GetRawText());

    /// <summary>Asks again until it holds; a driver's first log lines take their time.</summary>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> read, Func<T, bool> holds)
    {
        using var limit = new CancellationTokenSource(Deadline);
        while (true)
        {
            var value = await read();
            if (holds(value)) return value;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
        }
    }
}
