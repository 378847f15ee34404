using System.CommandLine;
using System.Globalization;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Persistence;

namespace SparkGateway.Api.Cli;

/// <summary>What `audit` does for the store that is configured.</summary>
internal interface IAuditCommand
{
    /// <param name="actor">For the audit; null: only count.</param>
    Task<Result<AuditPruneReport>> PruneAsync(TimeSpan age, string? actor, int batchRows, CancellationToken cancellation);
}

/// <summary>Retention of the audit: on the store itself, with its owner's rights, whether a gateway runs or not.</summary>
internal static class AuditVerb
{
    private const int LongestDays = 10_000;
    private const int LongestName = 64;

    public static Command Create(CliConsole console)
    {
        var audit = new Command("audit", AuditTexts.Audit);
        audit.Add(CreatePrune(console));
        return audit;
    }

    private static Command CreatePrune(CliConsole console)
    {
        var verb = new Command("prune", AuditTexts.Prune);
        var age = new Option<string>("--older-than") { Description = AuditTexts.OlderThan, HelpName = "DAYS", Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = AuditTexts.DryRun };
        var yes = new Option<bool>("--yes") { Description = AuditTexts.Yes };
        var person = new Option<string?>("--as") { Description = AuditTexts.As, HelpName = "NAME" };
        var owner = new Option<string?>("--owner-connection-string-file") { Description = AuditTexts.Owner, HelpName = "FILE" };
        var batch = new Option<int>("--batch-rows") { Description = AuditTexts.BatchRows, HelpName = "NUMBER", DefaultValueFactory = _ => AuditPruner.BatchRows };
        foreach (var option in (Option[])[age, dryRun, yes, person, owner, batch]) verb.Add(option);
        var configuration = new ConfigArguments(verb);
        verb.SetAction((arguments, cancellation) => RunAsync(
            new PruneArguments(arguments.GetValue(age)!, arguments.GetValue(dryRun), arguments.GetValue(yes), arguments.GetValue(person), arguments.GetValue(owner), arguments.GetValue(batch)),
            configuration.Read(arguments),
            console,
            cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(PruneArguments arguments, ConfigSource source, CliConsole console, CancellationToken cancellation)
    {
        if (!DaysOf(arguments).TryGet(out var days, out var refusal)) return console.Refuse(refusal.Text);
        var config = GatewayConfig.Load(source);
        if (config.Problems.Count > 0) return console.Refuse(config.Problems);

        if (arguments.Owner is { Length: > 0 } file) config.Options.Store.ConnectionStringFile = file;
        var actor = arguments.Person is { Length: > 0 } person ? $"{Environment.UserName} as {person} (unverified)" : Environment.UserName;
        var done = await Composition.CreateAudit(config.Options).PruneAsync(TimeSpan.FromDays(days), arguments.DryRun ? null : actor, arguments.BatchRows, cancellation);
        if (!done.TryGet(out var report, out var error)) return console.Fail(error.Text, error.Blame == Blame.Client ? ExitCode.Refused : ExitCode.Failed);

        var what = arguments.DryRun ? "would be deleted" : "deleted";
        await console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{report.Store}: {report.Rows} rows of audit_log up to {report.CutOff.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ} {what}."));
        return ExitCode.Ok;
    }

    private static Result<int> DaysOf(PruneArguments arguments)
    {
        var text = arguments.OlderThan;
        if (!text.EndsWith('d') || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var days) || days is < 1 or > LongestDays)
            return GatewayError.Invalid($"'{text}' is no age; --older-than takes whole days, 1d to {LongestDays}d, for example 400d.");
        if (days < AuditPruner.ShortestDays && arguments is { IsSure: false, DryRun: false })
            return GatewayError.Invalid($"{days} days are fewer than the {AuditPruner.ShortestDays} that an audit should reach back; add --yes if that is meant, or --dry-run to see what it would delete.");
        if (arguments.BatchRows is < 100 or > 100_000) return GatewayError.Invalid("--batch-rows must be 100 to 100000.");
        if (arguments.Person is { } person && (person.Length > LongestName || person.Any(letter => letter is < ' ' or > '~')))
            return GatewayError.Invalid($"--as must have at most {LongestName} printable ASCII characters.");
        return days;
    }

    private sealed record PruneArguments(string OlderThan, bool DryRun, bool IsSure, string? Person, string? Owner, int BatchRows);
}

internal static class AuditTexts
{
    public const string Audit = "The audit of the store: audit_log and session_audit. docs/audit.md has the questions one asks it, in SQL.";

    public const string Prune = """
        Deletes what is old from the audit, with the rights of its owner; the deletion is in the audit too.

        All rows of a session go together, once all are old and the session has ended. Rows of earlier prunes stay.
        It may run while gateways serve, be stopped at any time, and be run again.

        What would go:   spark-gateway audit prune --older-than 400d --dry-run --config config/prod.yml
        Let it go:       spark-gateway audit prune --older-than 400d --owner-connection-string-file /etc/spark-gateway/owner --config config/prod.yml
        Each night:      the same from cron, with --as retention
        """;

    public static readonly string OlderThan = $"Age in days, such as 400d. Allowed: 1d to 10000d; under {AuditPruner.ShortestDays}d only with --yes.";

    public const string DryRun = "Only say how many rows would go.";

    public static readonly string Yes = $"Allow an age under {AuditPruner.ShortestDays}d.";

    public const string As = "Who asks, for the audit; noted as unverified beside the user of this machine.";

    public const string Owner = "File with the connection string of a member of spark_gateway_owner; only for PostgreSQL. Not given: store.connection_string_file.";

    public static readonly string BatchRows = $"Rows of one transaction. Allowed: 100 to 100000; {AuditPruner.BatchRows} if not given.";
}
