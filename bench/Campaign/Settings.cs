namespace SparkGateway.Campaign;

/// <summary>How much is measured, and where the result goes.</summary>
internal sealed record Settings(string Root, bool IsQuick, int Rounds, int Seed, IReadOnlyList<string> Only, bool Writes)
{
    public const string Usage = "bench.sh [--quick] [--rounds N] [--seed N] [--only PEER,PEER] [--no-write]";

    /// <summary>No round begins after so much time: a slow machine gets fewer rounds, and the report says how many.</summary>
    public TimeSpan LastRoundStart => TimeSpan.FromSeconds(IsQuick ? 105 : 660);

    /// <summary>Null: not understood. The first argument is the repository's folder.</summary>
    public static Settings? Parse(string[] args)
    {
        if (args.Length == 0) return null;
        var settings = new Settings(args[0], false, 0, Random.Shared.Next(1_000_000), [], true);
        for (var i = 1; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--quick":
                    settings = settings with { IsQuick = true, Writes = false };
                    break;
                case "--no-write":
                    settings = settings with { Writes = false };
                    break;
                case "--rounds" when int.TryParse(value, out var rounds) && rounds > 0:
                    settings = settings with { Rounds = rounds };
                    i++;
                    break;
                case "--seed" when int.TryParse(value, out var seed):
                    settings = settings with { Seed = seed };
                    i++;
                    break;
                case "--only" when value.Length > 0:
                    settings = settings with { Only = value.Split(',') };
                    i++;
                    break;
                default:
                    return null;
            }
        }

        return settings.Rounds > 0 ? settings : settings with { Rounds = settings.IsQuick ? 2 : 5 };
    }
}
