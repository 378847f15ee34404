using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Cli;

/// <summary>How a verb ended, for the shell.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>It worked until something failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line, the configuration or the machine is not as it must be: nothing was begun.</summary>
    public const int Refused = 2;
}

/// <summary>Where verbs write: results to Out, one sentence about what went wrong to Error.</summary>
internal sealed record CliConsole(TextWriter Out, TextWriter Error)
{
    public int Refuse(string sentence) => Fail(sentence, ExitCode.Refused);

    public int Refuse(IEnumerable<ConfigProblem> problems)
    {
        foreach (var problem in problems) Refuse(problem.ToString());
        return ExitCode.Refused;
    }

    public int Fail(string sentence, int exitCode = ExitCode.Failed)
    {
        Error.WriteLine($"spark-gateway: {sentence.ReplaceLineEndings(" ")}");
        return exitCode;
    }
}
