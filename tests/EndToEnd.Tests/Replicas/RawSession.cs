using System.Globalization;
using SparkGateway.Domain.Sessions;
using SparkGateway.EndToEnd.Tests.Raw;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>How a call ended: the gRPC status, and the text of a failed one.</summary>
internal sealed record Outcome(int Status, string Text)
{
    public const int Ok = 0;
    public const int Internal = 13;
    public const int Unavailable = 14;
}

/// <summary>A client session with a connection of its own. Each good answer goes into the ledger.</summary>
internal sealed class RawSession : IAsyncDisposable
{
    /// <summary>As patient as those clients, who go on for some ten minutes.</summary>
    private const int MostTries = 15;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Ledger ledger;
    private readonly RawH2Client client;

    private RawSession(Ledger ledger, RawH2Client client, ClientSessionKey key)
    {
        this.ledger = ledger;
        this.client = client;
        Key = key;
    }

    public ClientSessionKey Key { get; }

    /// <param name="id">A client session id that is known already; null: a new one.</param>
    public static async Task<RawSession> ConnectAsync(Ledger ledger, int port, string user = "ada", string? id = null) =>
        new(ledger, await RawH2Client.ConnectAsync(port), new ClientSessionKey(user, id ?? RawGateway.NewSession()));

    public Task<H2Stream> BeginAsync(params IEnumerable<HeaderField> headers) =>
        client.CallAsync(SparkRpc.ExecutePlan, SparkRpc.Request(Key.ClientSessionId, Key.UserId), headers);

    /// <summary>A query from its first to its last byte.</summary>
    public async Task<Outcome> AskAsync(params IEnumerable<HeaderField> headers) => await EndAsync(await BeginAsync(headers));

    /// <summary>A query that must be answered.</summary>
    public async Task ServedAsync(params IEnumerable<HeaderField> headers)
    {
        var outcome = await AskAsync(headers);
        Assert.True(outcome.Status == Outcome.Ok, $"{Key}: {outcome}");
    }

    /// <summary>The same by the rule of Spark's clients: UNAVAILABLE is asked again. How often that was.</summary>
    public async Task<int> PatientlyServedAsync()
    {
        for (var again = 0; ; again++)
        {
            var outcome = await AskAsync();
            if (outcome.Status == Outcome.Ok) return again;
            Assert.True(outcome.Status == Outcome.Unavailable && again < MostTries, $"{Key}: {outcome}");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    /// <summary>A query whose answer has begun and does not end before the driver's test says so.</summary>
    public async Task<H2Stream> HoldAsync(params IEnumerable<HeaderField> headers)
    {
        var call = await BeginAsync([(TellingEngine.Open, "1"), .. headers]);
        Tell(await call.MessageAsync(Deadlines.Transfer));
        return call;
    }

    public async Task<Outcome> EndAsync(H2Stream call)
    {
        var trailers = await call.EndAsync(Deadlines.Transfer);
        var outcome = new Outcome(int.Parse(trailers["grpc-status"] ?? "-1", CultureInfo.InvariantCulture), Uri.UnescapeDataString(trailers["grpc-message"] ?? ""));
        if (outcome.Status == Outcome.Ok && Grpc.Read(call.Body, out _) is { } answer) Tell(answer);
        return outcome;
    }

    /// <summary>stop(), as a client says it.</summary>
    public async Task<int> ReleaseAsync() => await (await client.CallAsync(SparkRpc.ReleaseSession, SparkRpc.Request(Key.ClientSessionId, Key.UserId))).StatusAsync();

    /// <summary>The replica has read all that was sent.</summary>
    public Task TakenAsync() => client.PingAsync();

    /// <summary>The connection has gone with its replica.</summary>
    public Task CutAsync() => client.ClosedAsync(Deadlines.Transfer);

    public ValueTask DisposeAsync() => client.DisposeAsync();

    private void Tell(byte[] answer) => ledger.Answered(Key, TellingEngine.DriverOf(answer).ToString(CultureInfo.InvariantCulture));
}
