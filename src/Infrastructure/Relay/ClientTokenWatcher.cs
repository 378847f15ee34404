using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Relay;

/// <summary>Reads spark_connect.token_file before the first client comes, and again when it has changed. A file that is not valid changes nothing.</summary>
internal sealed partial class ClientTokenWatcher(ClientTokens tokens, GatewayOptions options, TimeProvider time, ILogger<ClientTokenWatcher> logger) : BackgroundService
{
    private readonly string path = options.SparkConnect.TokenFile;
    private string known = "";

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        known = Fingerprint();
        var problems = Load();
        return problems.Count > 0 ? throw new StartRefusedException(GatewayError.Invalid(string.Join('\n', problems))) : base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // By content and by time: mounted volumes tell of no change, and a copy can keep its times.
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.ConfigPollSeconds), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Look();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
    }

    private void Look()
    {
        var seen = Fingerprint();
        if (seen == known) return;
        known = seen;
        foreach (var problem in Load()) NotReloaded(logger, problem.ToString());
    }

    private List<ConfigProblem> Load()
    {
        var problems = new List<ConfigProblem>();
        var read = ClientTokenFile.Read(path, problems);
        if (problems.Count > 0) return problems;
        tokens.Replace(new TokenSet(read));
        Loaded(logger, read.Count, string.Join(", ", read.Select(token => token.Name).Distinct()));
        return problems;
    }

    private string Fingerprint()
    {
        var text = Files.TryReadSecret(path).TryGet(out var content, out var error) ? content : error.Text;
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    [LoggerMessage(2050, LogLevel.Information, "Client tokens in force: {Count}, of {Names}")]
    private static partial void Loaded(ILogger logger, int count, string names);

    [LoggerMessage(2051, LogLevel.Error, "The changed token file is not used, the tokens before stay in force: {Problem}")]
    private static partial void NotReloaded(ILogger logger, string problem);
}
