using System.CommandLine;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Cli;

/// <summary>What `migrate` does for the store that is configured.</summary>
internal interface IMigrationCommand
{
    /// <summary>The SQL of all migrations, as a DBA would run it.</summary>
    string Script();

    /// <summary>Runs what is missing; a sentence about what was done.</summary>
    Task<Result<string>> RunAsync(CancellationToken cancellation);
}

internal static class MigrateVerb
{
    public static Command Create(CliConsole console)
    {
        var verb = new Command("migrate", HelpTexts.Migrate);
        var script = new Option<bool>("--script") { Description = HelpTexts.Script };
        verb.Add(script);
        var configuration = new ConfigArguments(verb);
        verb.SetAction((arguments, cancellation) => RunAsync(configuration.Read(arguments), arguments.GetValue(script), console, cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(ConfigSource source, bool scriptOnly, CliConsole console, CancellationToken cancellation)
    {
        var config = GatewayConfig.Load(source);
        if (config.Problems.Count > 0) return console.Refuse(config.Problems);
        var migration = Composition.CreateMigration(config.Options);
        if (scriptOnly)
        {
            await console.Out.WriteAsync(migration.Script());
            return ExitCode.Ok;
        }

        var done = await migration.RunAsync(cancellation);
        if (!done.TryGet(out var report, out var error)) return console.Fail(error.Text);
        await console.Out.WriteLineAsync(report);
        return ExitCode.Ok;
    }
}
