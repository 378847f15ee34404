using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace SparkGateway.Infrastructure.Tests.Persistence;

/// <summary>Runs a theory once on each database.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class EachStoreAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([new TheoryDataRow("sqlite"), new TheoryDataRow("postgres")]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
