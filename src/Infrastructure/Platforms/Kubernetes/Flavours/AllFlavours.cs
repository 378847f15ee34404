namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

internal static class AllFlavours
{
    private static readonly IFlavour[] All = [new SparkApplicationFlavour(), new SparkConnectFlavour(), new ApacheFlavour()];

    public static IReadOnlyList<IFlavour> List => All;

    public static IFlavour Named(string name) => All.First(flavour => flavour.Name == name);
}
